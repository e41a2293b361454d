//! A fleet of simulated units takes rollouts of a hawkBit server: the server is the mock of the client's
//! authors, the units' storage is simulated, and everything between them is the product's.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use boards::Board;
use fleet::{Agent, Config, Error, Machine, Stage, Task};
use hawkbit::ddi::{Execution, Finished, Type};
use hawkbit_mock::ddi::{ChunkProtocol, Deployment, DeploymentBuilder, Server, ServerBuilder, Target};
use models::bundle::sign::SigningKey;
use models::bundle::write::Recipe;
use models::bundle::{NoBase, Sum, Version};
use models::update::proof::{Proof, Sign, Verdict};
use models::update::{Slot, Unit, boot, confirm, install, roll_back};
use serde_json::json;
use tests::bundles::{bundle, files, key, keys, opened, recipe};
use tests::disk::{Loss, SimDisk};
use tokio::runtime::Runtime;

/// Units, and how many of them fail half way: one in twenty.
const UNITS: usize = 200;
const ACTION: &str = "17";
/// The version's file on the server.
const FILE: &str = "signpost-0.2.0-desk.bundle";
/// No unit asks more often than this in a test before it counts as stuck.
const ROUNDS: usize = 60;

/// The computer of a simulated unit: it can be started anew, and says nothing.
#[derive(Clone, Default)]
struct Computer {
    running: Rc<Cell<Option<Slot>>>,
    restarts: Rc<Cell<u32>>,
    said: Rc<RefCell<Vec<String>>>,
}

impl Machine for Computer {
    fn running(&self) -> Result<Option<Slot>, Error> {
        Ok(self.running.get())
    }

    fn restart(&mut self) -> Result<(), Error> {
        self.restarts.set(self.restarts.get() + 1);
        Ok(())
    }

    fn say(&mut self, line: &str) {
        self.said.borrow_mut().push(line.into());
    }
}

/// What becomes of a version on trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Health {
    /// It proves itself.
    Well,
    /// It shows no picture, and takes itself back.
    Blind,
    /// It dies at every start.
    Dies,
}

/// A unit with version 1, as far as a fleet sees it.
struct Simulated {
    agent: Agent<SimDisk, Computer>,
    computer: Computer,
    name: String,
    server: String,
    downloads: PathBuf,
    now: Duration,
    health: Health,
}

fn board() -> Board {
    Board::named("desk").unwrap()
}

fn config(server: &str, name: &str) -> Config {
    let text = format!("server = \"{server}\"\ncontroller = \"{name}\"\ntoken = \"Key{name}\"\n");
    Config::parse(&text).unwrap()
}

/// Storage with version 1, confirmed.
fn with_one() -> SimDisk {
    let disk = SimDisk::new();
    let unit = Unit { board: "desk", slot_bytes: 1 << 20, starts: 2, running: None };
    install(&disk, &mut opened(1), &unit, &mut |_| {}).unwrap();
    assert_eq!(boot(&disk).unwrap().slot, Slot::A);
    confirm(&disk, Slot::A).unwrap();
    disk
}

impl Simulated {
    fn new(server: &Server, target: &Target, folder: &Path, health: Health, disk: &SimDisk) -> Self {
        let (name, downloads) = (target.name.clone(), folder.join(&target.name));
        let computer = Computer::default();
        computer.running.set(Some(Slot::A));
        let server = server.base_url();
        let agent = agent(&server, &name, &downloads, disk.fork(), &computer);
        Self { agent, computer, name, server, downloads, now: Duration::ZERO, health }
    }

    /// The power goes and comes back: the unit starts, and so does its agent.
    fn power_cycle(&mut self, loss: Loss) {
        let disk = self.agent.disk().fork();
        disk.power_cycle(loss);
        self.agent = agent(&self.server, &self.name, &self.downloads, disk, &self.computer);
        self.start();
    }

    /// Starts what is to be started, until something stays; the power may go meanwhile.
    fn start(&mut self) {
        let done = self.try_start();
        assert!(done.is_ok() || self.agent.disk().is_off(), "{done:?}");
    }

    fn try_start(&mut self) -> Result<(), models::update::Error> {
        let disk = self.agent.disk();
        for _ in 0..10 {
            let start = boot(disk)?;
            self.computer.running.set(Some(start.slot));
            if !start.trial {
                return Ok(());
            }
            let mut proof = Proof::new(2, Duration::from_secs(60));
            let signs = match self.health {
                Health::Well => &[Sign::Frame, Sign::Inference, Sign::Picture][..],
                Health::Blind => &[Sign::Frame, Sign::Inference],
                Health::Dies => continue,
            };
            (0..2).for_each(|_| signs.iter().for_each(|sign| proof.saw(*sign)));
            match proof.judge(Duration::from_secs(60)) {
                Verdict::Healthy => return confirm(disk, start.slot),
                Verdict::Failed(why) => drop(roll_back(disk, &why)?),
                Verdict::Wait => unreachable!("its time is over"),
            }
        }
        panic!("{}: nothing stays", self.name);
    }

    /// One round, and the restart that it asked for; as much time passes as it wanted.
    fn round(&mut self, runtime: &Runtime) -> Result<(), Error> {
        let before = self.computer.restarts.get();
        let done = runtime.block_on(self.agent.round(self.now));
        self.now += done.as_ref().map_or(Duration::from_secs(60), |wait| *wait);
        if self.computer.restarts.get() > before && !self.agent.disk().is_off() {
            self.start();
        }
        done.map(|_| ())
    }

    /// Rounds until the action is over and the server has heard of it.
    fn until_told(&mut self, runtime: &Runtime) -> (bool, String) {
        for _ in 0..ROUNDS {
            let done = self.round(runtime);
            if let (Ok(()), Some(Task { stage: Stage::Ended { kept, said }, .. })) =
                (done, Task::load(self.agent.disk()))
            {
                return (kept, said);
            }
        }
        panic!("{}: it does not end; {:?}", self.name, self.computer.said.borrow());
    }

    /// Which version starts, byte for byte.
    fn starts(&self) -> u32 {
        let disk = self.agent.disk().fork();
        let start = boot(&disk).unwrap();
        let mut held = disk.tree(start.slot.folder());
        held.retain(|name, _| !name.starts_with("manifest.json"));
        (1..=3).find(|number| files(*number) == held).expect("it starts a mixture")
    }
}

fn agent(
    server: &str,
    name: &str,
    downloads: &Path,
    disk: SimDisk,
    computer: &Computer,
) -> Agent<SimDisk, Computer> {
    Agent::new(&config(server, name), board(), keys(), disk, downloads.into(), computer.clone()).unwrap()
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// A rollout of one file.
fn rollout(file: &Path) -> Deployment {
    let sum = Sum::of(&fs::read(file).unwrap()).to_string();
    let artifacts = vec![(file.to_path_buf(), "", "", sum.as_str())];
    let rollout = DeploymentBuilder::new(ACTION, Type::Forced, Type::Forced);
    rollout.chunk(ChunkProtocol::BOTH, "bApp", "0.2.0", "signpost", artifacts).build()
}

/// The same, whose file comes from elsewhere.
fn rollout_from(file: &Path, target: &Target, address: String) -> Deployment {
    let sum = Sum::of(&fs::read(file).unwrap()).to_string();
    let artifacts = vec![(file.to_path_buf(), "", "", sum.as_str())];
    let rollout = DeploymentBuilder::new(ACTION, Type::Forced, Type::Forced);
    let token = format!("TargetToken Key{}", target.name);
    let path = format!("/download/{}", file.file_name().unwrap().to_str().unwrap());
    rollout
        .chunk_with_mock(
            ChunkProtocol::BOTH,
            "bApp",
            "0.2.0",
            "signpost",
            artifacts,
            Box::new(move |when, then| {
                when.method("GET").path(path.clone()).header("Authorization", token.clone());
                then.status(302).header("Location", address.clone());
            }),
        )
        .build()
}

/// A server of files whose line breaks: `/once` breaks in the middle and sends the rest to who asks for it,
/// `/always` never gets farther than the middle.
fn broken_line(bytes: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let bytes = Arc::new(bytes);
    // It ends with the test's process.
    std::thread::spawn(move || {
        for stream in listener.incoming().filter_map(Result::ok) {
            let bytes = bytes.clone();
            std::thread::spawn(move || serve_half(stream, &bytes));
        }
    });
    address
}

fn serve_half(mut stream: TcpStream, bytes: &[u8]) {
    let mut asked = Vec::new();
    let mut piece = [0; 1024];
    while !asked.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut piece) {
            Ok(count) if count > 0 => asked.extend_from_slice(&piece[..count]),
            _ => return,
        }
    }
    let asked = String::from_utf8(asked).unwrap().to_lowercase();
    let from = asked.split("range: bytes=").nth(1).and_then(|rest| rest.split('-').next()?.parse().ok());
    let half = bytes.len() / 2;
    let (status, body) = match from {
        None => ("200 OK", &bytes[..half]),
        Some(from) if asked.contains("/once") => ("206 Partial Content", &bytes[from..]),
        Some(_) => ("206 Partial Content", &bytes[..0]),
    };
    let length = bytes.len() - from.unwrap_or(0);
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    // Who has seen enough has gone.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
}

/// Lets the server take all that a unit says on its way, and nothing else: what it does not expect it refuses.
fn expect_steps(target: &Target) {
    let steps = [
        (Execution::Download, 0, "downloading"),
        (Execution::Proceeding, 1, "installing version 0.2.0"),
        (Execution::Proceeding, 2, "version 0.2.0 is installed; restarting the unit to try it"),
    ];
    for (execution, cnt, said) in steps {
        let progress = json!({ "cnt": cnt, "of": 4 });
        target.expect_deployment_feedback(ACTION, execution, Finished::None, Some(progress), vec![said]);
    }
}

/// How many times the server heard that it ended like this.
fn told(target: &Target, kept: bool, said: &str) -> impl Fn() -> usize {
    let (finished, cnt) = if kept { (Finished::Success, 4) } else { (Finished::Failure, 0) };
    let progress = json!({ "cnt": cnt, "of": 4 });
    let mock =
        target.expect_deployment_feedback(ACTION, Execution::Closed, finished, Some(progress), vec![said]);
    move || mock.calls()
}

const PROVEN: &str = "version 0.2.0 has proven itself and stays";
const BLIND: &str = "version 0.2.0 was given up: 0 of 2 pictures on the screen in 60 s";
const DIED: &str = "version 0.2.0 was given up: it did not prove itself in the starts that it had";
const CUT: &str = "cannot download the rollout (end of file before message length reached); see whether this unit's network leads to the server";

/// What befalls a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    Nothing,
    /// The download breaks off once.
    CutOnce,
    /// The power is cut while the version is written.
    PowerCut,
    /// The download breaks off every time.
    CutAlways,
    /// The version shows no picture.
    Blind,
    /// The version dies at every start.
    Dies,
}

/// One in twenty fails half way; as many meet something that they get over.
fn fate(unit: usize) -> Fate {
    match unit % 60 {
        7 => Fate::CutAlways,
        27 => Fate::Blind,
        47 => Fate::Dies,
        11 => Fate::CutOnce,
        31 | 51 => Fate::PowerCut,
        _ => Fate::Nothing,
    }
}

#[test]
fn two_hundred_units_take_a_rollout_and_one_in_twenty_fails_half_way() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE);
    let bytes = bundle(&recipe(2), &files(2), &NoBase);
    fs::write(&file, &bytes).unwrap();
    let elsewhere = broken_line(bytes);
    let server = ServerBuilder::default().build();
    let (runtime, one) = (runtime(), with_one());
    let mut counts: BTreeMap<(Fate, bool, u32), usize> = BTreeMap::new();
    let (mut successes, mut failures) = (0, 0);
    for number in 0..UNITS {
        let fate = fate(number);
        let target = server.add_target(&format!("unit-{number}"));
        match fate {
            Fate::CutOnce => {
                target.push_deployment(rollout_from(&file, &target, format!("{elsewhere}/once")))
            }
            Fate::CutAlways => {
                target.push_deployment(rollout_from(&file, &target, format!("{elsewhere}/always")));
            }
            _ => target.push_deployment(rollout(&file)),
        }
        expect_steps(&target);
        let (health, end) = match fate {
            Fate::Blind => (Health::Blind, BLIND),
            Fate::Dies => (Health::Dies, DIED),
            Fate::CutAlways => (Health::Well, CUT),
            Fate::Nothing | Fate::CutOnce | Fate::PowerCut => (Health::Well, PROVEN),
        };
        let heard = [(true, PROVEN), (false, end)].map(|(kept, said)| told(&target, kept, said));
        let mut unit = Simulated::new(&server, &target, folder.path(), health, &one);
        if fate == Fate::PowerCut {
            // Somewhere between the first write and the last.
            unit.agent.disk().cut_at(8 + (number as u64 * 7) % 30);
            for _ in 0..ROUNDS {
                if unit.agent.disk().is_off() {
                    break;
                }
                let _ = unit.round(&runtime);
            }
            assert!(unit.agent.disk().is_off(), "it was too quick");
            unit.power_cycle(Loss::Some(number as u64));
        }
        let (kept, said) = unit.until_told(&runtime);
        assert_eq!(said, end, "{fate:?}");
        *counts.entry((fate, kept, unit.starts())).or_default() += 1;
        successes += heard[0]();
        failures += heard[1]();
        assert!(!unit.downloads.exists(), "{fate:?}: what was downloaded is not left behind");
    }
    println!("{successes} succeeded, {failures} failed: {counts:?}");
    let of = |fate, kept, starts| counts.get(&(fate, kept, starts)).copied().unwrap_or(0);
    assert_eq!((successes, failures), (UNITS - UNITS / 20, UNITS / 20), "what the server heard");
    let failed = [Fate::CutAlways, Fate::Blind, Fate::Dies].map(|fate| of(fate, false, 1));
    assert_eq!(failed.iter().sum::<usize>(), UNITS / 20, "who failed starts what it started before");
    let well = [Fate::Nothing, Fate::CutOnce, Fate::PowerCut].map(|fate| of(fate, true, 2));
    assert_eq!(well.iter().sum::<usize>(), UNITS - UNITS / 20);
    assert!(failed.iter().chain(&well).all(|count| *count >= 3), "{counts:?}");
}

/// The power is cut at everything that a rollout writes: the unit starts the old version or the new one, goes
/// on by itself, and the server hears of success once.
#[test]
fn a_power_cut_at_any_point_of_a_rollout_ends_in_the_new_version() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE);
    fs::write(&file, bundle(&recipe(2), &files(2), &NoBase)).unwrap();
    let server = ServerBuilder::default().build();
    let (runtime, one) = (runtime(), with_one());
    let target = server.add_target("unit");
    target.push_deployment(rollout(&file));
    expect_steps(&target);
    let heard = told(&target, true, PROVEN);
    let rounds = |unit: &mut Simulated| {
        unit.until_told(&runtime);
        assert_eq!(unit.starts(), 2);
    };
    let mut whole = Simulated::new(&server, &target, folder.path(), Health::Well, &one);
    rounds(&mut whole);
    let asked = whole.agent.disk().asked();
    assert!(asked > 40, "{asked}");
    for cut in 1..=asked {
        let mut unit = Simulated::new(&server, &target, folder.path(), Health::Well, &one);
        unit.agent.disk().cut_at(cut);
        for _ in 0..ROUNDS {
            let _ = unit.round(&runtime);
            if unit.agent.disk().is_off() {
                break;
            }
        }
        unit.power_cycle(if cut % 2 == 0 { Loss::All } else { Loss::Some(cut) });
        assert!([1, 2].contains(&unit.starts()), "cut at {cut}");
        rounds(&mut unit);
    }
    println!("{asked} cuts");
    assert!(heard() as u64 > asked, "each of them was told");
}

/// What must not be installed is refused with its reason, and nothing on the unit changes.
#[test]
fn what_is_older_foreign_or_tampered_is_refused_and_the_server_hears_why() {
    let folder = tempfile::tempdir().unwrap();
    let (runtime, one) = (runtime(), with_one());
    let check = |name: &str, bytes: Vec<u8>, expect: &str| {
        let server = ServerBuilder::default().build();
        let target = server.add_target("unit");
        let file = folder.path().join(name);
        fs::write(&file, bytes).unwrap();
        target.push_deployment(rollout(&file));
        expect_steps(&target);
        let mut unit = Simulated::new(&server, &target, folder.path(), Health::Well, &one);
        let before = unit.agent.disk().tree("");
        // The server does not know yet what it will hear, and refuses it: the unit keeps it.
        for _ in 0..ROUNDS {
            let _ = unit.round(&runtime);
            if matches!(Task::load(unit.agent.disk()), Some(Task { stage: Stage::Ended { .. }, .. })) {
                break;
            }
        }
        let Some(Task { stage: Stage::Ended { kept: false, said }, .. }) = Task::load(unit.agent.disk())
        else {
            panic!("{name} was taken: {:?}", unit.computer.said.borrow());
        };
        assert!(said.contains(expect), "{name}: {said}");
        assert!(said.contains("; "), "{name}: {said} ends with the next step");
        let heard = told(&target, false, &said);
        unit.until_told(&runtime);
        assert!(heard() >= 1, "{name}");
        let after = unit.agent.disk().tree("");
        let slots = |tree: BTreeMap<String, _>| {
            tree.into_iter().filter(|(name, _)| !name.starts_with("fleet.")).collect::<BTreeMap<_, _>>()
        };
        assert!(slots(before) == slots(after), "{name}: the slots and the record are as they were");
        assert_eq!((unit.starts(), unit.computer.restarts.get()), (1, 0));
    };
    let good = bundle(&recipe(2), &files(2), &NoBase);
    let older = Recipe { version: Version(0, 0, 9), least: Version(0, 0, 1), ..recipe(1) };
    check("older-desk.bundle", bundle(&older, &files(1), &NoBase), "made with --downgrade");
    let foreign = Recipe { board: "qemu".into(), ..recipe(2) };
    check("foreign-desk.bundle", bundle(&foreign, &files(2), &NoBase), "for board `qemu`");
    let mut tampered = good.clone();
    tampered[300] ^= 1;
    check("tampered-desk.bundle", tampered, "changed after it was signed");
    let mut spoiled = good.clone();
    let last = spoiled.len() - 1;
    spoiled[last] ^= 1;
    check("spoiled-desk.bundle", spoiled, "get the bundle again");
    let stranger = {
        let (manifest, payload) = tests::bundles::parts(&good);
        let key = SigningKey::new(*b"stranger", [8; 32]);
        tests::bundles::assemble(&good[manifest..payload], &good[payload..], &key)
    };
    assert!(key().public() != SigningKey::new(*b"stranger", [8; 32]).public());
    check("stranger-desk.bundle", stranger, "a key that this unit does not trust");
    check("cut-desk.bundle", good[..good.len() / 2].to_vec(), "too early; send it again");
    check("other-qemu.bundle", good, "0 files that end in -desk.bundle");
}

#[test]
fn a_cancelled_action_is_not_installed_and_one_on_trial_is_not_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE);
    fs::write(&file, bundle(&recipe(2), &files(2), &NoBase)).unwrap();
    let (runtime, one) = (runtime(), with_one());

    let server = ServerBuilder::default().build();
    let target = server.add_target("unit");
    target.push_deployment(rollout(&file));
    target.cancel_action(ACTION);
    let said = vec!["nothing of it was installed"];
    let cancelled = target.expect_cancel_feedback(ACTION, Execution::Canceled, Finished::Success, said);
    let mut unit = Simulated::new(&server, &target, folder.path(), Health::Well, &one);
    unit.round(&runtime).unwrap();
    assert_eq!((cancelled.calls(), unit.starts(), Task::load(unit.agent.disk())), (1, 1, None));

    let server = ServerBuilder::default().build();
    let target = server.add_target("unit");
    target.push_deployment(rollout(&file));
    expect_steps(&target);
    let mut unit = Simulated::new(&server, &target, folder.path(), Health::Well, &one);
    // The restart is asked for, and the unit has not started yet.
    runtime.block_on(unit.agent.round(unit.now)).unwrap();
    assert_eq!(unit.computer.restarts.get(), 1);
    target.cancel_action(ACTION);
    let said = vec!["version 0.2.0 is on trial already; it stays or falls by itself"];
    let rejected = target.expect_cancel_feedback(ACTION, Execution::Rejected, Finished::Failure, said);
    unit.now += Duration::from_secs(120);
    unit.round(&runtime).unwrap();
    unit.start();
    assert_eq!((rejected.calls(), unit.starts()), (1, 2));
}

#[test]
fn the_server_hears_what_a_unit_is_and_one_that_is_not_there_is_told_from_one_that_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let (runtime, one) = (runtime(), with_one());
    let server = ServerBuilder::default().build();
    let target = server.add_target("unit");
    let status = json!({ "result": { "finished": "success" }, "execution": "closed", "details": [] });
    let data = json!({ "board": "desk", "version": "0.1.0" });
    target.request_config(json!({ "mode": null, "data": data, "status": status }));
    let mut unit = Simulated::new(&server, &target, folder.path(), Health::Well, &one);
    unit.round(&runtime).unwrap();
    assert_eq!((target.config_data_hits(), unit.now), (1, Duration::from_secs(60)), "and it says how often");
    // Asked too early, it does not ask.
    unit.now = Duration::from_secs(30);
    unit.round(&runtime).unwrap();
    assert_eq!(target.poll_hits(), 1);

    let mut stranger = Simulated::new(&server, &target, folder.path(), Health::Well, &one);
    let wrong = config(&server.base_url(), "nobody");
    let disk = stranger.agent.disk().fork();
    stranger.agent =
        Agent::new(&wrong, board(), keys(), disk, folder.path().join("x"), Computer::default()).unwrap();
    let said = stranger.round(&runtime).unwrap_err().to_string();
    assert!(said.contains("does not let this unit in (HTTP 404)"), "{said}");
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    stranger.agent = agent(&address, "unit", folder.path(), one.fork(), &Computer::default());
    stranger.now = Duration::ZERO;
    let said = stranger.round(&runtime).unwrap_err().to_string();
    assert!(said.contains("see whether this unit's network leads to the server"), "{said}");
}
