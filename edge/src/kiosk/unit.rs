//! The kiosk as a whole: it starts the threads, watches over them, and ends in order.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use anyhow::anyhow;
use boards::Board;
use models::update::disk::Folder;
use models::update::{self, Disk};
use models::utc;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::crash::{Crashes, MOST_IN_A_ROW};
use super::governor::Load;
use super::heart::Heart;
use super::heat;
use super::link::Serving;
use super::production::Producing;
use super::reading::{Reading, Source};
use super::shared::{Ending, News, Shared, Trouble};
use super::show::Show;
use super::supervise::{self, Rule, spawn};
use super::watchdog::{Hardware, Manager};
use super::words::Tongue;
use crate::Fault;
use crate::cli::read::Models;
use crate::cli::sign::Signed;
use crate::cli::update::Home;
use crate::cli::update::duties::{ZONES, temperatures};
use crate::cli::update::serve::Cable;
use crate::screen::Theme;
use crate::screen::present::Present;

/// The unit is looked after so often.
const WATCH: Duration = Duration::from_millis(200);
/// Sensors and storage are looked at so often.
const FEEL: Duration = Duration::from_secs(2);
/// A unit in which nothing broke for so long is well.
const WELL: Duration = Duration::from_secs(60);
/// Threads have so long to end in order; and where the unit is broken, of which one may never end.
const LEAVE: Duration = Duration::from_secs(3);
const LEAVE_BROKEN: Duration = Duration::from_millis(500);
/// Storage with less than this is full: a record and a log need some. Bytes.
const FULL: u64 = 4 << 20;
/// What a kiosk is told by its command line.
pub(crate) struct Settings {
    /// Without one it reads nobody.
    pub source: Option<Source>,
    /// What is read with.
    pub models: Models,
    /// What is signed with.
    pub signed: Signed,
    /// Its cable.
    pub cable: Cable,
    /// The language of its own words.
    pub tongue: Tongue,
    /// Its colours.
    pub theme: Theme,
    /// How long nobody is seen until a visitor has left.
    pub left_after: Duration,
    /// How long a thread may make no progress, where not as long as the board says.
    pub stall_after: Option<Duration>,
}

/// Runs the kiosk until it is told to end.
///
/// # Errors
/// Where it cannot start, or cannot go on and is to be started anew.
pub(crate) fn run(home: Home, settings: Settings, mut to: Box<dyn Present + Send>) -> anyhow::Result<()> {
    supervise::listen();
    let board = home.board.clone();
    let mut crashes = Crashes::open(&home.root);
    let version = home.version();
    let killed = crashes.begin(&version, utc::text(SystemTime::now()));
    let shared = Arc::new(Shared::new(&board, version, crashes));
    if let Some(limit) = settings.stall_after {
        *shared.heart() = Heart::new(limit);
    }
    match killed {
        Ok(false) => {}
        Ok(true) => journal::warn!("the run before ended without being told to"),
        Err(error) => shared.trouble(Trouble::Disk, Some(no_room(&error.to_string()))),
    }
    if give_up(&shared, &home.disk) {
        return Ok(());
    }
    let mut threads = vec![listen(&shared)?];
    let mut show =
        Show::new(Arc::clone(&shared), &board, settings.tongue, settings.theme, settings.left_after);
    threads.push(spawn(&shared, "screen", Rule::FailUnit, move || show.run(&mut *to))?);
    let (board_too, at_work) = (board.clone(), Mutex::default());
    let producing =
        Producing { shared: Arc::clone(&shared), board: board_too, signed: settings.signed, at_work };
    threads.push(spawn(&shared, "production", Rule::Restart, move || producing.run())?);
    let serving = Serving {
        shared: Arc::clone(&shared),
        cable: settings.cable,
        has_camera: settings.source.is_some(),
        home: home.clone(),
    };
    threads.push(spawn(&shared, "link", Rule::Restart, move || serving.run())?);
    match settings.source {
        Some(source) => {
            let models = settings.models;
            let reading = Reading { shared: Arc::clone(&shared), board: board.clone(), source, models };
            threads.push(spawn(&shared, "language", Rule::Restart, move || reading.run())?);
        }
        None => {
            let said = "it was started without a camera, so it sees nobody; name one with --source";
            shared.trouble(Trouble::Camera, Some(said.into()));
            shared.news.push(News::Sees(false));
        }
    }
    let manager = Manager::of(std::env::var_os("NOTIFY_SOCKET").as_deref()).unwrap_or_else(|error| {
        journal::warn!("the service manager cannot be told anything: {}", error.to_string().as_str());
        None
    });
    let ending = watch(&shared, &board, &home.disk, manager);
    leave(&shared, threads, if let Ending::Failed(_) = ending { LEAVE_BROKEN } else { LEAVE });
    match ending {
        Ending::Ordered | Ending::Restart => Ok(()),
        Ending::Failed(why) => Err(anyhow!("{why}; its service starts it anew, and `crash.json` keeps why")),
    }
}

/// Waits for whoever ends the program.
fn listen(shared: &Arc<Shared>) -> anyhow::Result<JoinHandle<()>> {
    let shared = Arc::clone(shared);
    const NAME: &str = "signals";
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    let work = move || {
        for _ in signals.forever() {
            journal::info!("ending in order, as it was told to");
            shared.end(Ending::Ordered);
        }
    };
    let spawned = thread::Builder::new().name(NAME.into()).spawn(work);
    Ok(spawned.map_err(|source| Fault::Thread { name: NAME.into(), source })?)
}

/// Goes back to the version before where this one breaks again and again; whether the program is to end for it.
fn give_up(shared: &Shared, disk: &Folder) -> bool {
    if !shared.crashes().is_hopeless() {
        return false;
    }
    let why = format!("it broke {MOST_IN_A_ROW} times in a row");
    let back = update::roll_back(disk, &why);
    // In either case the row begins anew: the other version, or this one, has its own chances.
    let mut kept = shared.crashes().well();
    if back.is_ok() {
        kept = kept.and(shared.crashes().end());
    }
    if let Err(error) = kept {
        shared.trouble(Trouble::Disk, Some(no_room(&error.to_string())));
    }
    match back {
        Ok(slot) => {
            journal::error!("{}; going back to slot {}", why.as_str(), slot.to_string().as_str());
            true
        }
        Err(error) => {
            journal::error!(
                "{}, and there is nothing to go back to: {}",
                why.as_str(),
                error.to_string().as_str()
            );
            false
        }
    }
}

/// Looks after the unit until it ends: feeds the watchdogs while everything goes on, and feels its heat.
fn watch(shared: &Shared, board: &Board, disk: &Folder, manager: Option<Manager>) -> Ending {
    let tell = |what: &str| {
        // A manager that is gone is started anew by the system, and this program with it.
        manager.iter().for_each(|manager| drop(manager.tell(what)));
    };
    let mut hardware: Option<Hardware> = None;
    let mut is_ready = false;
    let mut felt: Option<Duration> = None;
    loop {
        let now = shared.now();
        if !is_ready && shared.has_shown() {
            is_ready = true;
            hardware = arm(board);
            tell("READY=1");
        }
        if let Some(part) = shared.heart().stalled(now) {
            let said = "it made no progress within the time that the board allows";
            shared.crashed(part.thread(), said);
            shared.end(Ending::Failed(format!("{}: {said}", part.thread())));
        }
        if shared.crashes().is_hopeless() {
            // The next start goes back to the version before.
            shared.end(Ending::Failed(format!("{MOST_IN_A_ROW} things broke in a row")));
        }
        if let Some(ending) = shared.ending() {
            tell("STOPPING=1");
            if ending == Ending::Ordered
                && let Some(Err(error)) = hardware.map(Hardware::disarm)
            {
                journal::warn!("the watchdog could not be laid to rest: {}", error.to_string().as_str());
            }
            return ending;
        }
        if is_ready {
            tell("WATCHDOG=1");
            if let Some(Err(error)) = hardware.as_mut().map(Hardware::feed) {
                journal::error!("the watchdog takes no food: {}", error.to_string().as_str());
                hardware = None;
            }
        }
        if felt.is_none_or(|at| now >= at + FEEL) {
            felt = Some(now);
            feel(shared, disk);
        }
        let quiet = shared.last_crash().map_or(now, |at| now.saturating_sub(at));
        if quiet >= WELL
            && shared.heart().is_well(now)
            && let Err(error) = shared.crashes().well()
        {
            shared.trouble(Trouble::Disk, Some(no_room(&error.to_string())));
        }
        shared.rest(WATCH);
    }
}

fn arm(board: &Board) -> Option<Hardware> {
    let watchdog = board.watchdog.as_ref()?;
    match Hardware::arm(Path::new(&watchdog.device), watchdog.timeout_s) {
        Ok(hardware) => Some(hardware),
        Err(error) => {
            let said = "nothing would start the unit again if all of it hung";
            journal::error!("{}: {}; {}", watchdog.device.as_str(), error.to_string().as_str(), said);
            None
        }
    }
}

/// Looks at sensors and storage.
fn feel(shared: &Shared, disk: &Folder) {
    let sensors = temperatures(Path::new(ZONES));
    let hottest = sensors.iter().max_by_key(|sensor| sensor.milli_celsius);
    let degrees = hottest.map(|sensor| sensor.milli_celsius as f32 / 1000.0);
    let throttled = heat::throttled(Path::new(ZONES));
    let load = shared.governor().feel(degrees, throttled);
    let name = hottest.map_or("a processor", |sensor| &sensor.name);
    let at = degrees.map_or_else(String::new, |c| format!(" at {c:.0} °C"));
    let said = |what: &str| Some(format!("{name} is{at}, so {what}; let it cool down, and clear its vents"));
    let (hot, warm) = match load {
        Load::Nothing => (said("nothing is read"), None),
        Load::One(1) => (None, None),
        Load::One(_) => (None, said("fewer frames are read")),
    };
    // The degrees change all the time, and are news only when the trouble is.
    for (trouble, said) in [(Trouble::Hot, hot), (Trouble::Warm, warm)] {
        if said.is_some() != shared.has_trouble(trouble) {
            shared.trouble(trouble, said);
        }
    }
    match disk.free() {
        Ok(free) if free < FULL => shared.trouble(Trouble::Disk, Some(no_room("it is full"))),
        Ok(_) => shared.trouble(Trouble::Disk, None),
        Err(error) => shared.trouble(Trouble::Disk, Some(no_room(&error.to_string()))),
    }
}

fn no_room(why: &str) -> String {
    format!("nothing can be kept on the unit's storage ({why}); free some space there, or have it replaced")
}

/// Waits for the threads, though not for one that hangs: the program's end is theirs.
fn leave(shared: &Shared, threads: Vec<JoinHandle<()>>, patience: Duration) {
    let until = Instant::now() + patience;
    // The one that waits for signals waits for ever.
    let over = |thread: &JoinHandle<()>| thread.is_finished() || thread.thread().name() == Some("signals");
    while !threads.iter().all(over) && Instant::now() < until {
        thread::sleep(Duration::from_millis(20));
    }
    for thread in threads.iter().filter(|thread| !over(thread)) {
        let name = thread.thread().name().unwrap_or("unnamed");
        journal::warn!("the thread `{}` did not end in order", name);
    }
    // What was noted is noted; this run has ended knowingly.
    if let Err(error) = shared.crashes().end() {
        journal::warn!("{}", no_room(&error.to_string()).as_str());
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;

    use super::*;
    use crate::kiosk::heart::Part;

    fn shared(board: &Board, root: &Path) -> Shared {
        Shared::new(board, "1.2.3".into(), Crashes::open(root))
    }

    #[test]
    fn a_stalled_thread_ends_the_unit_and_is_kept() {
        for part in Part::ALL {
            let root = tempfile::tempdir().unwrap();
            let board = Board::named("desk").unwrap();
            let shared = shared(&board, root.path());
            let mut heart = Heart::new(Duration::ZERO);
            // All but one will go on for an hour.
            for other in Part::ALL {
                let until = if other == part { Duration::ZERO } else { Duration::from_secs(3600) };
                heart.beat(other, until);
            }
            *shared.heart() = heart;
            let ending = watch(&shared, &board, &Folder::open(root.path()).unwrap(), None);
            assert!(matches!(ending, Ending::Failed(why) if why.starts_with(part.thread())));
            let kept = Crashes::open(root.path()).kept().clone();
            assert_eq!(kept.last.unwrap().thread, part.thread());
        }
    }

    /// The watchdogs of a unit that ends in order, or breaks.
    #[track_caller]
    fn check(ending: Ending, magic: bool) {
        let root = tempfile::tempdir().unwrap();
        let device = root.path().join("watchdog0");
        std::fs::write(&device, "").unwrap();
        let socket = root.path().join("notify");
        let listener = UnixDatagram::bind(&socket).unwrap();
        let mut board = Board::named("jetson-orin-nano").unwrap();
        board.watchdog.as_mut().unwrap().device = device.to_str().unwrap().into();
        let shared = shared(&board, root.path());
        shared.beat(Part::Screen);
        let manager = Manager::of(Some(socket.as_os_str())).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| watch(&shared, &board, &Folder::open(root.path()).unwrap(), manager));
            let mut heard = [0; 64];
            for expect in ["READY=1", "WATCHDOG=1", "WATCHDOG=1"] {
                let length = listener.recv(&mut heard).unwrap();
                assert_eq!(std::str::from_utf8(&heard[..length]).unwrap(), expect);
            }
            shared.end(ending);
        });
        let fed = std::fs::read(&device).unwrap();
        assert!(fed.len() >= 2 && fed[..2] == *b"\0\0", "{fed:?}");
        assert_eq!(fed.last() == Some(&b'V'), magic);
    }

    #[test]
    fn watchdogs_are_fed_and_laid_to_rest_only_by_an_end_in_order() {
        check(Ending::Ordered, true);
        check(Ending::Failed("the screen broke".into()), false);
        check(Ending::Restart, false);
    }

    #[test]
    fn ten_in_a_row_with_nothing_to_go_back_to_begin_a_new_row() {
        let root = tempfile::tempdir().unwrap();
        let board = Board::named("desk").unwrap();
        let shared = shared(&board, root.path());
        let disk = Folder::open(root.path()).unwrap();
        (1..MOST_IN_A_ROW).for_each(|_| shared.crashed("vision", "it panicked"));
        assert!(!give_up(&shared, &disk) && shared.crashes().kept().in_a_row == MOST_IN_A_ROW - 1);
        shared.crashed("vision", "it panicked");
        assert!(!give_up(&shared, &disk), "there is no other version");
        assert_eq!(shared.crashes().kept().in_a_row, 0);
    }
}
