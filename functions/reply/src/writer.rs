//! The task that writes a reply: reads the model's stream into the row, and tells the windows what the row has.
//!
//! It outlives the request that began it. Where the host lets it share an instance with other such tasks, a panic would
//! end all of them: nothing here may panic.

use std::pin::pin;
use std::time::{Duration, Instant};

use futures::future::{Either, select};
use kafka_common::announce::fitted;
use kafka_common::db::{self, Db};
use kafka_common::model::{self, Event, Failure, Message as Turn, Role, Timeouts, composer};
use kafka_common::object;
use kafka_common::reply::Begun;
use kafka_common::reply::audience::Audience;
use kafka_common::reply::ending::Ending;
use kafka_common::task::begin_spawned;
use kafka_common::versions::MAX_TEXT_BYTES;

use crate::composing::{self, Misfit, Said, Verdict};
use crate::context::{self, Question};
use crate::rows::{self, Beat};

/// From one piece of text to the next. The first goes out at once.
const FLUSH: Duration = Duration::from_millis(100);

/// From one sign of life to the next while the model is silent, and so how long a stop may go unheard.
const BEAT: Duration = Duration::from_millis(750);

/// A piece is written before its time when it is as long.
const PIECE: usize = 32 * 1024;

/// A writer that can't reach its row for so long gives up; others will find the reply interrupted.
const LOST: Duration = Duration::from_secs(10);

/// Why a reply ends that the model has not ended.
#[derive(Debug)]
enum Halt {
    /// Somebody asked to stop.
    Stop,
    /// Somebody else has ended it, or its row is gone or out of reach: there is nothing left to write to.
    Gone,
}

/// The reply is not this writer's any more.
#[derive(Debug)]
struct Gone;

/// Writes a reply, from the question to the model to the last word about it.
pub async fn write(begun: Begun, audience: Audience) {
    begun.announce(&audience);
    begin_spawned().await;
    let mut writer = Writer {
        begun: &begun,
        audience: &audience,
        buffer: String::new(),
        text: String::new(),
        seq: 0,
        written: Instant::now(),
        reached: Instant::now(),
    };
    if writer.run().await.is_err() {
        tracing::info!("reply {} was ended by another", begun.reply);
    }
}

struct Writer<'a> {
    begun: &'a Begun,
    audience: &'a Audience,
    /// What is not in the row yet.
    buffer: String,
    /// The whole reply.
    text: String,
    /// How many pieces the row has.
    seq: i64,
    /// When the row was last written, or its writing last tried.
    written: Instant,
    /// When that last succeeded.
    reached: Instant,
}

impl Writer<'_> {
    /// The whole life of the reply. Fails only where the reply is not this writer's any more.
    async fn run(&mut self) -> Result<(), Gone> {
        let question = match self.alongside(context::question(self.begun)).await {
            Ok(Ok(question)) => question,
            Ok(Err(why)) => return self.finish_plainly(Ending::error(why)).await,
            Err(Halt::Stop) => return self.finish_plainly(Ending::new("stopped")).await,
            Err(Halt::Gone) => return Err(Gone),
        };
        let ending = self.round(&question, &question.messages).await?;
        let Some(misfit) = self.finish(&ending, None).await? else {
            return Ok(());
        };
        // A diff of the reply does not apply: the same again, as a whole file.
        let said = self.text.len();
        let mut messages = question.messages.clone();
        messages.push(turn(Role::Assistant, self.text.clone()));
        let again = composer::ask_for_whole_file(&misfit.name, &misfit.why);
        messages.push(turn(Role::User, again));
        self.say("\n\n");
        let ending = self.round(&question, &messages).await?;
        self.finish(&ending, Some((&misfit, said))).await.map(drop)
    }

    /// Asks the model once, writes its answer into the row, and says how it ended.
    async fn round(&mut self, question: &Question, messages: &[Turn]) -> Result<Ending, Gone> {
        match self.ask(question, messages).await {
            Ok(ending) => Ok(ending),
            Err(Halt::Stop) => Ok(Ending::new("stopped")),
            Err(Halt::Gone) => Err(Gone),
        }
    }

    /// More of the reply. False: it is as long as a reply may be.
    fn say(&mut self, text: &str) -> bool {
        let room = MAX_TEXT_BYTES.saturating_sub(self.text.len());
        let fits = text.len() <= room;
        let text = &text[..text.floor_char_boundary(room)];
        self.text.push_str(text);
        self.buffer.push_str(text);
        fits
    }

    async fn ask(&mut self, question: &Question, messages: &[Turn]) -> Result<Ending, Halt> {
        let call = question.call(messages);
        let mut answer = match self
            .alongside(model::send(call, Timeouts::default()))
            .await?
        {
            Ok(answer) => answer,
            Err(failure) => return Ok(failed(&failure)),
        };
        let mut ending = Ending::new("complete");
        while let Some(event) = self.alongside(answer.next()).await? {
            match event {
                Event::Delta(text) => {
                    if !self.say(&text) {
                        ending.finish_reason = Some("length".to_owned());
                        return Ok(ending);
                    }
                }
                Event::Finish(reason) => ending.finish_reason = Some(reason),
                Event::Usage(usage) => ending.usage = Some(usage),
                Event::Done => break,
                Event::Error(failure) => {
                    let usage = ending.usage.take();
                    ending = failed(&failure);
                    ending.usage = usage;
                    break;
                }
            }
            if self.due().is_zero() {
                self.write().await?;
            }
        }
        Ok(ending)
    }

    /// Waits for something, and keeps the row written meanwhile.
    async fn alongside<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Halt> {
        let mut work = pin!(work);
        loop {
            let timer = pin!(spin_sdk::time::sleep(self.due()));
            match select(&mut work, timer).await {
                Either::Left((done, _)) => return Ok(done),
                Either::Right(_) => self.write().await?,
            }
        }
    }

    /// When the row is to be written next.
    fn due(&self) -> Duration {
        let wait = match self.buffer.len() {
            0 => BEAT,
            _ if self.seq == 0 && self.reached >= self.written => return Duration::ZERO,
            PIECE.. => return Duration::ZERO,
            _ => FLUSH,
        };
        wait.saturating_sub(self.written.elapsed())
    }

    /// Writes what there is to the row, or a sign of life; and tells the windows what it has now.
    async fn write(&mut self) -> Result<(), Halt> {
        let outcome = self.try_write().await;
        self.written = Instant::now();
        match outcome {
            Ok(Some(beat)) => {
                self.reached = self.written;
                if !self.buffer.is_empty() {
                    self.seq = beat.seq;
                    let content = std::mem::take(&mut self.buffer);
                    self.audience.tell(&[fitted(object!({
                        "action": "delta", "generation_id": self.begun.reply, "message_id": self.begun.answer_id,
                        "seq": beat.seq, "content": content,
                    }))]);
                    begin_spawned().await;
                }
                match beat.stop {
                    true => Err(Halt::Stop),
                    false => Ok(()),
                }
            }
            Ok(None) => Err(Halt::Gone),
            Err(error) => {
                tracing::error!("the reply: {error}");
                match self.reached.elapsed() > LOST {
                    true => Err(Halt::Gone),
                    false => Ok(()),
                }
            }
        }
    }

    async fn try_write(&self) -> db::Result<Option<Beat>> {
        let mut db = Db::open().await?;
        match self.buffer.as_str() {
            "" => rows::beat(&mut db, &self.begun.reply).await,
            piece => rows::append(&mut db, &self.begun.reply, piece).await,
        }
    }

    /// Writes the rest, ends the reply, and tells everybody; or, unless that is an answer to it already (with where
    /// it begins), returns the diff that does not apply.
    async fn finish(
        &mut self,
        ending: &Ending,
        second: Option<(&Misfit, usize)>,
    ) -> Result<Option<Misfit>, Gone> {
        while !self.buffer.is_empty() {
            // A stop comes too late.
            if let Err(Halt::Gone) = self.write().await {
                return Err(Gone);
            }
            if !self.buffer.is_empty() {
                spin_sdk::time::sleep(FLUSH).await;
            }
        }
        let (first, second) = match second {
            None => (self.text.as_str(), None),
            Some((misfit, at)) => {
                let (first, second) = self.text.split_at(at);
                (first, Some((misfit, second)))
            }
        };
        let said = Said { first, second };
        loop {
            match composing::finish(self.begun, &said, ending).await {
                Ok(Verdict::Finished(finished)) => {
                    self.audience.tell(&finished.events);
                    self.audience.tell_v1(finished.v1);
                    return Ok(None);
                }
                Ok(Verdict::Misfit(misfit)) => return Ok(Some(misfit)),
                Ok(Verdict::Gone) => return Err(Gone),
                Err(error) => {
                    tracing::error!("the reply: {error}");
                    if self.reached.elapsed() > LOST {
                        return Err(Gone);
                    }
                    spin_sdk::time::sleep(FLUSH).await;
                }
            }
        }
    }

    /// [`Self::finish`] for a reply that never began.
    async fn finish_plainly(&mut self, ending: Ending) -> Result<(), Gone> {
        self.finish(&ending, None).await.map(drop)
    }
}

fn turn(role: Role, content: String) -> Turn {
    Turn { role, content }
}

fn failed(failure: &Failure) -> Ending {
    Ending::error(failure.message.clone())
}
