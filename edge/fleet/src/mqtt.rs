//! Health over MQTT: published again and again, retained, and taken back by the unit's last will.

use std::time::{Duration, Instant};

use rumqttc::{
    Client, Connection, ConnectionError, Event, LastWill, MqttOptions, Packet, QoS, RecvTimeoutError,
    Transport,
};

use crate::config::Health;
use crate::health::Report;
use crate::{Config, Error};

/// A broker that hears nothing for this long publishes the last will.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// A connection is there within this time. Seconds.
const CONNECT_S: u64 = 10;
/// A broker that is not there is looked for so often.
const AGAIN: Duration = Duration::from_secs(20);
/// Messages that may wait for the connection.
const QUEUE: usize = 4;

/// A line to a broker, on whatever thread it is driven.
pub struct Broker {
    client: Client,
    connection: Connection,
    topic: String,
    address: String,
    every: Duration,
    connected: bool,
    /// When health is published next.
    due: Instant,
}

impl Broker {
    /// The broker of a unit's settings; nothing is sent yet.
    pub fn new(config: &Config, health: &Health) -> Self {
        let topic = config.topic();
        let mut options = MqttOptions::new(&config.controller, &health.host, health.port);
        options.set_keep_alive(KEEP_ALIVE);
        options.set_last_will(LastWill::new(&topic, Report::last_will(), QoS::AtLeastOnce, true));
        if let Some(user) = &health.user {
            options.set_credentials(user, health.password.as_deref().unwrap_or_default());
        }
        if health.tls {
            // Where an authority is named it is the only one that is trusted.
            options.set_transport(match &health.certificate {
                Some(pem) => Transport::tls(pem.clone().into_bytes(), None, None),
                None => Transport::tls_with_default_config(),
            });
        }
        let (client, mut connection) = Client::new(options, QUEUE);
        let mut network = connection.eventloop.network_options();
        network.set_connection_timeout(CONNECT_S);
        connection.eventloop.set_network_options(network);
        let address = format!("{}:{}", health.host, health.port);
        let every = Duration::from_secs(health.every_s.into());
        Self { client, connection, topic, address, every, connected: false, due: Instant::now() }
    }

    /// Goes on for as long as nothing is wrong: keeps the line, and publishes what `report` gives when it is due.
    ///
    /// # Errors
    /// [`Error::Broker`], [`Error::Untrusted`]; called again it looks for the broker anew.
    pub fn step(&mut self, report: &dyn Fn() -> Report) -> Result<(), Error> {
        if self.connected && Instant::now() >= self.due {
            let text = report().text();
            // Where there is no room the connection is down, and the next one begins with a report.
            let _ = self.client.try_publish(&self.topic, QoS::AtLeastOnce, true, text);
            self.due = Instant::now() + self.every;
        }
        let left = self.due.saturating_duration_since(Instant::now());
        let patience = if self.connected { left } else { KEEP_ALIVE };
        match self.connection.recv_timeout(patience.min(KEEP_ALIVE)) {
            Ok(Ok(Event::Incoming(Packet::ConnAck(_)))) => {
                self.connected = true;
                self.due = Instant::now();
                Ok(())
            }
            Ok(Ok(_)) | Err(RecvTimeoutError::Timeout) => Ok(()),
            Ok(Err(error)) => {
                self.connected = false;
                let (broker, said) = (self.address.clone(), error.to_string());
                Err(match error {
                    ConnectionError::Tls(_) => Error::Untrusted { broker, said },
                    _ => Error::Broker { broker, said },
                })
            }
            Err(RecvTimeoutError::Disconnected) => {
                self.connected = false;
                let said = "the line is closed".into();
                Err(Error::Broker { broker: self.address.clone(), said })
            }
        }
    }
}

/// Tells a broker how the unit is for as long as the program runs. What is wrong is said once, until it changes.
pub fn tell_for_ever(config: &Config, health: &Health, report: &dyn Fn() -> Report, say: &dyn Fn(&str)) {
    let mut broker = Broker::new(config, health);
    let mut wrong = String::new();
    loop {
        match broker.step(report) {
            Ok(()) if broker.connected => wrong.clear(),
            Ok(()) => {}
            Err(error) => {
                let said = error.to_string();
                if said != wrong {
                    say(&said);
                    wrong = said;
                }
                std::thread::sleep(AGAIN);
            }
        }
    }
}
