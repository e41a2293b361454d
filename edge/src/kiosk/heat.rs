//! Whether the system slows its processors down because of heat.

use std::fs;
use std::path::Path;

/// What Linux calls devices that cool by working more slowly; a fan that turns slows nothing down.
const SLOWED: [&str; 5] = ["cpufreq", "thermal-cpufreq", "devfreq", "thermal-devfreq", "Processor"];

/// Whether one of the kernel's cooling devices that slow something down is at work, below `/sys/class/thermal`.
pub fn throttled(thermal: &Path) -> bool {
    let entries = fs::read_dir(thermal).into_iter().flatten().filter_map(Result::ok);
    let read = |device: &Path, name: &str| fs::read_to_string(device.join(name)).unwrap_or_default();
    entries.map(|entry| entry.path()).any(|device| {
        let kind = read(&device, "type");
        let slows = SLOWED.iter().any(|name| kind.starts_with(name));
        slows && read(&device, "cur_state").trim().parse().is_ok_and(|state: u64| state > 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(devices: &[(&str, &str)], expect: bool) {
        let thermal = tempfile::tempdir().unwrap();
        for (n, (kind, state)) in devices.iter().enumerate() {
            let device = thermal.path().join(format!("cooling_device{n}"));
            fs::create_dir(&device).unwrap();
            fs::write(device.join("type"), format!("{kind}\n")).unwrap();
            fs::write(device.join("cur_state"), format!("{state}\n")).unwrap();
        }
        assert_eq!(throttled(thermal.path()), expect);
    }

    #[test]
    fn slowed_processors_are_told_from_fans() {
        check(&[], false);
        check(&[("pwm-fan", "3"), ("cpufreq-cpu0", "0")], false);
        check(&[("pwm-fan", "0"), ("cpufreq-cpu0", "2")], true);
        check(&[("Processor", "1")], true);
        check(&[("Processor", "?")], false);
        assert!(!throttled(Path::new("/nowhere")));
    }
}
