//! A unit's health at a real broker: Debian's mosquitto.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::cell::Cell;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fleet::Config;
use fleet::health::{self, Report};
use fleet::mqtt::Broker;
use models::link::message::{Health, Temperature};
use models::update::disk::Folder;
use rumqttc::{Client, Connection, Event, MqttOptions, Packet, QoS};
use serde_json::{Value, json};
use tests::authority::Identity;
use tests::{skip, text};

/// Nothing on this computer takes longer.
const PATIENCE: Duration = Duration::from_secs(20);
const TOPIC: &str = "signpost/counter-7/health";

/// A broker that ends with the test.
struct Mosquitto {
    child: Child,
    port: u16,
}

impl Mosquitto {
    /// Starts it where it is installed.
    fn start(folder: &Path) -> Option<Self> {
        Self::start_with(folder, "")
    }

    /// The same with more lines about whom it listens to.
    fn start_with(folder: &Path, more: &str) -> Option<Self> {
        let places = ["/usr/sbin/mosquitto", "/usr/bin/mosquitto", "/usr/local/sbin/mosquitto"];
        let program = places.map(PathBuf::from).into_iter().find(|place| place.is_file())?;
        // Free a moment ago, and nobody else asks for it meanwhile.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let settings = folder.join("mosquitto.conf");
        let text =
            format!("listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nuser root\n{more}");
        fs::write(&settings, text).unwrap();
        let child =
            Command::new(program).arg("-c").arg(settings).stderr(Stdio::null()).stdout(Stdio::null()).spawn();
        let broker = Self { child: child.unwrap(), port };
        let until = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "mosquitto does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(broker)
    }

    /// Somebody who listens to a unit.
    fn listener(&self, name: &str) -> (Client, Connection) {
        let (client, connection) = Client::new(MqttOptions::new(name, "127.0.0.1", self.port), 4);
        client.subscribe(TOPIC, QoS::AtLeastOnce).unwrap();
        (client, connection)
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The next thing that is published, and whether it was kept for who came later.
fn next(connection: &mut Connection) -> (Value, bool) {
    let until = Instant::now() + PATIENCE;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if let Event::Incoming(Packet::Publish(publish)) = connection.recv_timeout(left).unwrap().unwrap() {
            return (serde_json::from_slice(&publish.payload).unwrap(), publish.retain);
        }
    }
}

#[test]
fn health_is_kept_at_the_broker_and_a_unit_that_vanished_is_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mosquitto) = Mosquitto::start(folder.path()) else {
        return skip("health_is_kept_at_the_broker", "mosquitto is not installed (apt install mosquitto)");
    };
    let file = folder.path().join("health.json");
    let temperatures = vec![Temperature { name: "gpu".into(), milli_celsius: 48_500 }];
    let state = "ready; gave up 0.2.0: MY NAME IS ANNA".into();
    let health = Health { state, fps: 29.5, temperatures, ..Health::default() };
    fs::write(&file, serde_json::to_vec(&health).unwrap()).unwrap();
    let settings = format!(
        "server = \"https://updates.example.org\"\ncontroller = \"counter-7\"\ntoken = \"x\"\n\
         [health]\nhost = \"127.0.0.1\"\nport = {}\nevery_s = 1\nfile = {file:?}\n",
        mosquitto.port
    );
    let config = Config::parse(&settings).unwrap();
    let health = config.health.clone().unwrap();
    let disk = Folder::open(folder.path()).unwrap();
    let report = || Report::of("desk", &disk, health::read(&health.file).as_ref());
    let mut unit = Broker::new(&config, &health);
    // The answer to the greeting, a report, the broker's word that it has it, and some time.
    let until = Instant::now() + Duration::from_secs(3);
    while Instant::now() < until {
        unit.step(&report).unwrap();
    }

    let (_client, mut late) = mosquitto.listener("late");
    let (said, kept) = next(&mut late);
    let expect = json!({
        "online": true, "state": "ready", "version": null, "board": "desk", "fps": 29.5,
        "temperatures": [{ "name": "gpu", "celsius": 48.5 }],
    });
    assert_eq!((said, kept), (expect, true), "who comes later hears how it was last");
    // It goes without a word, as a unit does whose cable is pulled.
    drop(unit);
    loop {
        let (said, _) = next(&mut late);
        if said == json!({ "online": false }) {
            break;
        }
    }
    let (_client, mut later) = mosquitto.listener("later");
    assert_eq!(next(&mut later), (json!({ "online": false }), true));
}

#[test]
fn a_broker_that_is_not_there_is_told_of_in_one_sentence() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let settings = format!(
        "server = \"https://updates.example.org\"\ncontroller = \"counter-7\"\ntoken = \"x\"\n\
         [health]\nhost = \"127.0.0.1\"\nport = {port}\n"
    );
    let config = Config::parse(&settings).unwrap();
    let mut unit = Broker::new(&config, config.health.as_ref().unwrap());
    let report = || panic!("nobody listens");
    let said = unit.step(&report).unwrap_err().to_string();
    assert!(said.contains(&format!("the MQTT broker 127.0.0.1:{port} cannot be reached")), "{said}");
    assert!(said.ends_with("see whether it runs and takes this user"), "{said}");
}

#[test]
fn an_encrypted_line_leads_to_the_broker_that_its_authority_signed_and_to_no_other() {
    const TEST: &str = "an_encrypted_line_leads_to_the_broker";
    let folder = tempfile::tempdir().unwrap();
    let (Some(ours), Some(theirs)) =
        (Identity::authority(folder.path(), "ours"), Identity::authority(folder.path(), "theirs"))
    else {
        return skip(TEST, "openssl is not installed (apt install openssl)");
    };
    let broker = ours.sign("broker");
    let lines = format!("certfile {}\nkeyfile {}\n", text(&broker.cert), text(&broker.key));
    let Some(mosquitto) = Mosquitto::start_with(folder.path(), &lines) else {
        return skip(TEST, "mosquitto is not installed (apt install mosquitto)");
    };
    let unit = |tls: &str| {
        let settings = format!(
            "server = \"https://updates.example.org\"\ncontroller = \"counter-7\"\ntoken = \"x\"\n\
             [health]\nhost = \"127.0.0.1\"\nport = {}\n{tls}",
            mosquitto.port
        );
        let config = Config::parse(&settings).unwrap();
        Broker::new(&config, config.health.as_ref().unwrap())
    };
    let trusting = |pem: &str| unit(&format!("tls = true\ncertificate = \"\"\"\n{pem}\"\"\"\n"));
    let disk = Folder::open(folder.path()).unwrap();
    let reported = Cell::new(false);
    let report = || {
        reported.set(true);
        Report::of("desk", &disk, None)
    };
    let mut right = trusting(&fs::read_to_string(&ours.cert).unwrap());
    let until = Instant::now() + PATIENCE;
    while !reported.get() {
        right.step(&report).unwrap();
        assert!(Instant::now() < until, "nothing was reported");
    }
    // Somebody else's word, the system's own, none that is a certificate, and a line that is not encrypted.
    let another = trusting(&fs::read_to_string(&theirs.cert).unwrap());
    for mut wrong in [another, unit("tls = true\n"), trusting("words\n")] {
        let said = wrong.step(&|| panic!("nobody listens")).unwrap_err().to_string();
        assert!(said.contains("is not trusted (") && said.contains("into [health] of fleet.toml"), "{said}");
    }
    let said = unit("").step(&|| panic!("nobody listens")).unwrap_err().to_string();
    assert!(said.contains("cannot be reached ("), "{said}");
}
