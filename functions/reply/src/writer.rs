//! The task that writes a reply: it reads the model's stream into the row, and sends clients what the row has.
//!
//! It outlives the request that began it. Where the host lets it share an instance with other such tasks, a panic would
//! end all of them: nothing here may panic.

use std::pin::pin;
use std::time::{Duration, Instant};

use futures::future::{Either, select};
use kafka_common::api::events;
use kafka_common::api::words::Status;
use kafka_common::db::{self, Db};
use kafka_common::links;
use kafka_common::reply::Begun;
use kafka_common::reply::audience::Audience;
use kafka_common::reply::ending::Ending;
use kafka_common::task::begin_spawned;
use kafka_llm::draft::{Draft, FLUSH};
use kafka_llm::{Event, Failure, Role, Turn, composer};

use crate::composing::{self, Answers, Misfit, Outcome};
use crate::context::{self, Question};
use crate::rows::{self, Beat};
use crate::send::{Timeouts, send};

/// A writer that can't reach its row for so long gives up; others will find the reply interrupted.
const LOST: Duration = Duration::from_secs(10);

/// Why a reply ends that the model has not ended.
#[derive(Debug)]
enum Halt {
    /// A client asked to stop.
    Stop,
    /// Another request has ended it, or its row is gone or out of reach: there is nothing left to write to.
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
        draft: Draft::default(),
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
    /// The reply, and how much of it is in the row.
    draft: Draft,
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
            Err(Halt::Stop) => return self.finish_plainly(Ending::new(Status::Stopped)).await,
            Err(Halt::Gone) => return Err(Gone),
        };
        let ending = self.round(&question, &question.messages).await?;
        let Some(misfit) = self.finish(&ending, None).await? else {
            return Ok(());
        };
        // A diff of the reply does not apply: the same again, as a whole file.
        let said = self.draft.text().len();
        let mut messages = question.messages.clone();
        messages.push(Turn::new(Role::Assistant, self.draft.text()));
        let again = composer::ask_for_whole_file(&misfit.name, &misfit.why);
        messages.push(Turn::new(Role::User, again));
        self.draft.push("\n\n");
        let ending = self.round(&question, &messages).await?;
        self.finish(&ending, Some((&misfit, said))).await.map(drop)
    }

    /// Asks the model once, writes its answer into the row, and says how it ended.
    async fn round(&mut self, question: &Question, messages: &[Turn]) -> Result<Ending, Gone> {
        match self.ask(question, messages).await {
            Ok(ending) => Ok(ending),
            Err(Halt::Stop) => Ok(Ending::new(Status::Stopped)),
            Err(Halt::Gone) => Err(Gone),
        }
    }

    async fn ask(&mut self, question: &Question, messages: &[Turn]) -> Result<Ending, Halt> {
        let call = question.call(messages);
        let mut answer = match self.alongside(send(call, Timeouts::default())).await? {
            Ok(answer) => answer,
            Err(failure) => return Ok(failed(&failure)),
        };
        let mut ending = Ending::new(Status::Complete);
        while let Some(event) = self.alongside(answer.next()).await? {
            match event {
                Event::Delta(text) => {
                    if !self.draft.push(&text) {
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
        let failed = self.reached < self.written;
        self.draft
            .pause(failed)
            .saturating_sub(self.written.elapsed())
    }

    /// Writes what there is to the row, or a heartbeat; then sends clients what was written.
    async fn write(&mut self) -> Result<(), Halt> {
        let outcome = self.try_write().await;
        self.written = Instant::now();
        match outcome {
            Ok(Some(beat)) => {
                self.reached = self.written;
                let content = self.draft.unstored();
                if !content.is_empty() {
                    let (reply, message) = (&self.begun.reply, &self.begun.answer_id);
                    let delta = events::Event::delta(reply, message, beat.seq, content.to_owned());
                    self.audience.tell(&[delta]);
                    self.draft.mark_stored();
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
        match self.draft.unstored() {
            "" => rows::beat(&mut db, self.begun.reply.as_str()).await,
            piece => rows::append(&mut db, self.begun.reply.as_str(), piece).await,
        }
    }

    /// Writes the rest, ends the reply, and sends clients that it has ended. Returns the diff that does not apply, if there
    /// is one and the model was not asked again. `second`: that diff, and where the model's second answer begins.
    async fn finish(
        &mut self,
        ending: &Ending,
        second: Option<(&Misfit, usize)>,
    ) -> Result<Option<Misfit>, Gone> {
        while !self.draft.unstored().is_empty() {
            // A stop comes too late.
            if let Err(Halt::Gone) = self.write().await {
                return Err(Gone);
            }
            if !self.draft.unstored().is_empty() {
                spin_sdk::time::sleep(FLUSH).await;
            }
        }
        let (first, second) = match second {
            None => (self.draft.text(), None),
            Some((misfit, at)) => {
                let (first, second) = self.draft.text().split_at(at);
                (first, Some((misfit, second)))
            }
        };
        let answers = Answers { first, second };
        loop {
            match composing::finish(self.begun, &answers, ending).await {
                Ok(Outcome::Finished(mut sent)) => {
                    links::publish(&mut sent.events).await;
                    self.audience.tell(&sent.events);
                    self.audience.tell_v1(sent.v1);
                    return Ok(None);
                }
                Ok(Outcome::Misfit(misfit)) => return Ok(Some(misfit)),
                Ok(Outcome::Gone) => return Err(Gone),
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

fn failed(failure: &Failure) -> Ending {
    Ending::error(failure.message.clone())
}
