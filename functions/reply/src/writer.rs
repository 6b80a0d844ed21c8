//! The task that writes a reply: it reads the model's stream into the row, and sends clients what the row has.
//!
//! It outlives the request that began it. Where the host lets it share an instance with other such tasks, a panic would
//! end all of them: nothing here may panic.

use std::pin::pin;
use std::time::{Duration, Instant};

use futures::channel::oneshot;
use futures::future::{Either, select, try_join};
use kafka_common::api::events;
use kafka_common::api::usage::Tokens;
use kafka_common::api::words::Status;
use kafka_common::db::{self, Db};
use kafka_common::feed;
use kafka_common::links;
use kafka_common::log::{self, Written};
use kafka_common::reply::audience::Audience;
use kafka_common::reply::ending::Ending;
use kafka_common::reply::{Begun, FIRST_PIECE_FIRST};
use kafka_common::task::{begin_spawned, within};
use kafka_llm::draft::{Draft, FLUSH};
use kafka_llm::{Adaptation, Event, Failure, Learnt, Role, Turn, composer, reasoning, usage};

use crate::composing::{self, Answers, Misfit, Outcome};
use crate::context::{self, Question};
use crate::rows::{self, Beat, Part};
use crate::send::{Reply, send};
use crate::title;

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

/// What came of an answer.
enum Received {
    /// It is over, however it ended.
    Ended(Ending),
    /// Nothing was written: the model objects to something in the question.
    Refused(Failure),
}

/// How long a stored prompt waits until its model begins to answer, in an instance that does one thing at a time: longer
/// than a model takes that is near.
const QUESTION_FIRST: Duration = Duration::from_millis(5);

/// Writes a reply, from the question to the model to the last word about it. The model is asked while the disk takes the
/// prompt (docs/decisions.md#a-prompt-is-flushed-while-the-model-is-asked); `stored` learns when the disk has it, and is
/// dropped if that fails.
pub async fn write(begun: Begun, audience: Audience, stored: oneshot::Sender<()>) {
    let (told, is_told) = oneshot::channel();
    let (asking, is_asked) = oneshot::channel();
    let (question, is_answered) = oneshot::channel();
    let (first_piece, has_first_piece) = oneshot::channel();
    let beginning = async {
        let _ = within(QUESTION_FIRST, is_asked).await;
        if let Err(error) = begun.flush().await {
            tracing::error!("the prompt: {error}");
            return Err(Gone);
        }
        // Who waits for what is sent here does so as long as this goes on, or needs it no more. The other way round, what is
        // waited for may be given up, or take too long.
        let _ = within(QUESTION_FIRST, is_answered).await;
        let _ = stored.send(());
        // The connection that the first piece needs is made before it comes.
        rows::make_ready().await;
        let announcement = begun.announcement(&audience);
        let _ = within(FIRST_PIECE_FIRST, has_first_piece).await;
        audience.publish(announcement);
        let _ = told.send(());
        begin_spawned().await;
        Ok(())
    };
    let mut writer = Writer {
        begun: &begun,
        audience: &audience,
        asking: Some(asking),
        question: Some(question),
        first_piece: Some(first_piece),
        is_told: Some(is_told),
        draft: Draft::default(),
        thoughts: Draft::default(),
        written: Instant::now(),
        took: Duration::ZERO,
        reached: Instant::now(),
        began: Instant::now(),
        first_piece_took: None,
        asked_bytes: 0,
        counted: None,
        way: Learnt::default(),
        status: Status::Running,
    };
    if try_join(beginning, writer.run()).await.is_err() {
        tracing::info!("reply {} was ended by another", begun.reply);
        return;
    }
    let ended = writer.ended();
    // A client that reads the events of its own request has them all.
    drop(audience);
    if let Some(ended) = ended.filter(|_| begun.wants_title) {
        title::give(&begun, &ended).await;
    }
}

struct Writer<'a> {
    begun: &'a Begun,
    audience: &'a Audience,
    /// Held until the model is asked, or won't be.
    asking: Option<oneshot::Sender<()>>,
    /// Held until the model begins to answer, or won't.
    question: Option<oneshot::Sender<()>>,
    /// Held until the first piece waits to be told.
    first_piece: Option<oneshot::Sender<()>>,
    /// When clients have been told of the reply; `None` after that.
    is_told: Option<oneshot::Receiver<()>>,
    /// The reply, and how much of it is in the row.
    draft: Draft,
    /// What the model thought, likewise.
    thoughts: Draft,
    /// When the row was last written, or its writing last tried.
    written: Instant,
    /// How long that took.
    took: Duration,
    /// When that last succeeded.
    reached: Instant,
    began: Instant,
    /// How long the first piece took.
    first_piece_took: Option<Duration>,
    /// How long the messages are that the model was sent last.
    asked_bytes: usize,
    /// The tokens of the questions so far.
    counted: Option<Tokens>,
    /// How the model took the last question.
    way: Learnt,
    /// How the reply has ended.
    status: Status,
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
        let mut adaptation = Adaptation::new(context::learnt(&self.begun.model));
        let ending = self.round(&question, &mut adaptation, &[]).await?;
        self.way = adaptation.way();
        let Some(misfit) = self.finish(&ending, None).await? else {
            return Ok(());
        };
        // A diff of the reply does not apply: the same again, as a whole file.
        let said = self.draft.text().len();
        let again = composer::ask_for_whole_file(&misfit.name, &misfit.why);
        let more = [
            Turn::new(Role::Assistant, reasoning::split(self.draft.text()).1),
            Turn::new(Role::User, again),
        ];
        self.draft.push("\n\n");
        let ending = self.round(&question, &mut adaptation, &more).await?;
        self.finish(&ending, Some((&misfit, said))).await.map(drop)
    }

    /// Asks the model and writes its answer into the row; how it ended.
    async fn round(
        &mut self,
        question: &Question,
        adaptation: &mut Adaptation,
        more: &[Turn],
    ) -> Result<Ending, Gone> {
        let before = self.written_bytes();
        let mut ending = match self.ask(question, adaptation, more).await {
            Ok(ending) => ending,
            Err(Halt::Stop) => Ending::new(Status::Stopped),
            Err(Halt::Gone) => return Err(Gone),
        };
        self.count(&mut ending, self.written_bytes() - before);
        Ok(ending)
    }

    /// The reply, if it has ended whole.
    fn ended(&self) -> Option<title::Ended> {
        let text = reasoning::split(self.draft.text()).1;
        let is_whole = self.status == Status::Complete && !text.trim().is_empty();
        is_whole.then(|| title::Ended {
            text,
            way: self.way.clone(),
        })
    }

    /// Of the text and the reasoning so far.
    fn written_bytes(&self) -> usize {
        self.draft.text().len() + self.thoughts.text().len()
    }

    /// Adds the tokens of a question to those before, as the endpoint has counted them or else estimated. An answer
    /// without a text took none that are known.
    fn count(&mut self, ending: &mut Ending, written: usize) {
        let said = ending.usage.as_ref().and_then(usage::read);
        let estimate = || (written > 0).then(|| Tokens::estimate(self.asked_bytes, written));
        let is_said = said.is_some();
        let Some(tokens) = said.or_else(estimate) else {
            ending.tokens = Some(self.counted.unwrap_or_default());
            ending.usage = self.counted.map(|before| before.usage());
            return;
        };
        let total = self.counted.map_or(tokens, |before| before.and(tokens));
        if !is_said || self.counted.is_some() {
            ending.usage = Some(total.usage());
        }
        self.counted = Some(total);
        ending.tokens = Some(total);
    }

    /// Asks the model, again in another way if it refuses the question, until it answers.
    async fn ask(
        &mut self,
        question: &Question,
        adaptation: &mut Adaptation,
        more: &[Turn],
    ) -> Result<Ending, Halt> {
        loop {
            let messages = question.messages(adaptation, more);
            self.asked_bytes = messages.iter().map(Turn::bytes).sum();
            let way = adaptation.way();
            let sent = send(question.call(&messages), &way, question.timeouts());
            // What waits for that goes on when this one waits for the model.
            self.asking = None;
            let sent = self.alongside(sent).await?;
            self.question = None;
            let failure = match sent {
                Ok(answer) => match self.receive(answer).await? {
                    Received::Ended(mut ending) => {
                        if ending.status == Status::Complete {
                            ending.error = question.left_out(&messages, adaptation);
                            adaptation.answered(&messages);
                            rows::learn(&self.begun.model, adaptation).await;
                        }
                        return Ok(ending);
                    }
                    Received::Refused(failure) => failure,
                },
                Err(failure) => failure,
            };
            if !adaptation.refused(&failure, &messages) {
                return Ok(failed(&failure));
            }
        }
    }

    /// Writes an answer into the row.
    async fn receive(&mut self, mut answer: Reply) -> Result<Received, Halt> {
        let mut ending = Ending::new(Status::Complete);
        let mut has_begun = false;
        while let Some(event) = self.alongside(answer.next()).await? {
            if let Event::Reasoning(_) | Event::Delta(_) = &event {
                self.first_piece_took.get_or_insert(self.began.elapsed());
            }
            match event {
                Event::Reasoning(thought) => {
                    has_begun = true;
                    // What is too long is left out; the answer may still come.
                    self.thoughts.push(&thought);
                }
                Event::Delta(text) => {
                    has_begun = true;
                    if !self.draft.push(&text) {
                        ending.finish_reason = Some("length".to_owned());
                        return Ok(Received::Ended(ending));
                    }
                }
                Event::Finish(reason) => ending.finish_reason = Some(reason),
                Event::Usage(usage) => ending.usage = Some(usage),
                Event::Done => break,
                Event::Error(failure) => {
                    if !has_begun && failure.objection.is_some() {
                        return Ok(Received::Refused(failure));
                    }
                    let (finish_reason, usage) = (ending.finish_reason, ending.usage);
                    ending = Ending {
                        finish_reason,
                        usage,
                        ..failed(&failure)
                    };
                    break;
                }
            }
            if self.due().is_zero() {
                self.write().await?;
            }
        }
        Ok(Received::Ended(ending))
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
        let pause = |draft: &Draft| draft.pause(failed, self.took);
        let pause = pause(&self.draft).min(pause(&self.thoughts));
        pause.saturating_sub(self.written.elapsed())
    }

    /// Whether all that has come is in the row.
    fn is_stored(&self) -> bool {
        self.draft.unstored().is_empty() && self.thoughts.unstored().is_empty()
    }

    /// Writes what there is to the row, or a heartbeat; then sends clients what was written.
    async fn write(&mut self) -> Result<(), Halt> {
        // It thought before it answered.
        if !self.thoughts.unstored().is_empty() {
            self.write_piece(Part::Reasoning).await?;
            if self.draft.unstored().is_empty() || !self.thoughts.unstored().is_empty() {
                return Ok(());
            }
        }
        self.write_piece(Part::Text).await
    }

    async fn write_piece(&mut self, part: Part) -> Result<(), Halt> {
        let begun = Instant::now();
        let outcome = self.try_write(part).await;
        let has_failed = self.reached < self.written;
        self.written = Instant::now();
        self.took = self.written - begun;
        match outcome {
            Ok(Some(beat)) => {
                self.reached = self.written;
                if let Some(event) = self.event(part, beat.seq) {
                    self.clients_are_told().await;
                    self.audience.tell(&[event]);
                    self.part(part).mark_stored();
                    begin_spawned().await;
                }
                match beat.stop {
                    true => Err(Halt::Stop),
                    false => Ok(()),
                }
            }
            Ok(None) => Err(Halt::Gone),
            Err(error) => {
                // Of failures in a row only the first is logged, since there are several a second.
                if !has_failed {
                    tracing::error!("the reply: {error}");
                }
                match self.reached.elapsed() > LOST {
                    true => Err(Halt::Gone),
                    false => Ok(()),
                }
            }
        }
    }

    /// What is told of the reply comes after its beginning.
    async fn clients_are_told(&mut self) {
        (self.asking, self.question, self.first_piece) = (None, None, None);
        if let Some(is_told) = &mut self.is_told {
            // Where that fails, all of this ends.
            let _ = is_told.await;
            self.is_told = None;
        }
    }

    fn part(&mut self, part: Part) -> &mut Draft {
        match part {
            Part::Text => &mut self.draft,
            Part::Reasoning => &mut self.thoughts,
        }
    }

    /// The event about what was written; `None`: that was a heartbeat.
    fn event(&mut self, part: Part, seq: i64) -> Option<events::Event> {
        let content = self.part(part).unstored().to_owned();
        let (reply, message) = (&self.begun.reply, &self.begun.answer_id);
        (!content.is_empty()).then(|| match part {
            Part::Text => events::Event::delta(reply, message, seq, content),
            Part::Reasoning => events::Event::reasoning_delta(reply, message, seq, content),
        })
    }

    async fn try_write(&mut self, part: Part) -> db::Result<Option<Beat>> {
        let mut db = Db::open_unflushed().await?;
        let reply = self.begun.reply.as_str();
        let asked = Tokens::estimate(self.asked_bytes, 0).input;
        match self.part(part).unstored() {
            "" => rows::beat(&mut db, reply).await,
            piece => rows::append(&mut db, reply, part, piece, asked).await,
        }
    }

    /// Writes the rest, ends the reply, and sends clients that it has ended. Returns the diff that does not apply, if there
    /// is one and the model was not asked again. `second`: that diff, and where the model's second answer begins.
    async fn finish(
        &mut self,
        ending: &Ending,
        second: Option<(&Misfit, usize)>,
    ) -> Result<Option<Misfit>, Gone> {
        self.clients_are_told().await;
        while !self.is_stored() {
            // A stop comes too late.
            if let Err(Halt::Gone) = self.write().await {
                return Err(Gone);
            }
            if !self.is_stored() {
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
        let mut has_failed = false;
        loop {
            match composing::finish(self.begun, &answers, ending).await {
                Ok(Outcome::Finished(mut sent)) => {
                    let written = Written {
                        took: self.began.elapsed(),
                        first_piece: self.first_piece_took,
                        characters: self.draft.text().chars().count(),
                    };
                    log::reply_ended(sent.status, Some(written));
                    self.status = sent.status;
                    links::publish(&self.begun.called, &mut sent.events).await;
                    self.audience.tell(&sent.events);
                    self.audience.publish(self.audience.items_v1(sent.v1));
                    feed::tell([self.begun.chat.as_str()]).await;
                    return Ok(None);
                }
                Ok(Outcome::Misfit(misfit)) => return Ok(Some(misfit)),
                Ok(Outcome::Gone) => return Err(Gone),
                Err(error) => {
                    if !has_failed {
                        tracing::error!("the reply: {error}");
                    }
                    has_failed = true;
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
