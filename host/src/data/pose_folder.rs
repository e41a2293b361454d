//! Imports a folder of `.pose` files: one folder a label, any number of clips in it.
//!
//! This is how an institution's own recordings come in: `FOLDER/LABEL/*.pose`.

use std::path::{Path, PathBuf};

use models::features::Picker;
use models::pose::PoseTrack;
use models::pose_file::read_track;

use super::Clip;
use crate::Error;

/// Reads the clips of a folder, labels and files in alphabetical order.
///
/// # Errors
/// Where a folder or a file cannot be read, or no clip shows a hand.
pub fn pose_folder(folder: &Path) -> Result<Vec<Clip>, Error> {
    let mut clips = vec![];
    for dir in listed(folder)?.into_iter().filter(|path| path.is_dir()) {
        let label = dir.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        let files = listed(&dir)?.into_iter().filter(|path| path.extension().is_some_and(|e| e == "pose"));
        for (seq, file) in (0..).zip(files) {
            clips.extend(clip(label.clone(), "", seq, &read_track(&file)?.with_z_in_pixels()));
        }
    }
    if clips.is_empty() {
        let next = "put .pose files with hands into FOLDER/LABEL, one folder a label".into();
        return Err(Error::NoClips { what: folder.display().to_string(), next });
    }
    Ok(clips)
}

/// A track as a clip; `None` where its layout has no hands.
pub(super) fn clip(label: String, group: &str, seq: u32, track: &PoseTrack) -> Option<Clip> {
    let picker = Picker::new(&track.layout)?.in_picture([track.size[0], track.size[1]]);
    let at_s = |i: usize| i as f64 / f64::from(track.fps);
    let sights = track.frames.iter().enumerate().map(|(i, pose)| picker.pick(at_s(i), pose)).collect();
    Some(Clip { label, group: group.to_owned(), seq, split: String::new(), tier: None, sights })
}

/// What a folder holds, in alphabetical order.
pub(crate) fn listed(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = std::fs::read_dir(folder).map_err(Error::io("list", folder))?;
    let mut paths: Vec<_> = entries
        .collect::<Result<Vec<_>, _>>()
        .map_err(Error::io("list", folder))?
        .iter()
        .map(|e| e.path())
        .collect();
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use models::pose::{Known, Pose};
    use models::pose_file::write_track_file;

    use super::*;

    #[test]
    fn folders_are_labels() {
        let root = std::env::temp_dir().join(format!("signpost-pose-folder-{}", std::process::id()));
        let layout = Known::Holistic576.layout();
        for name in ["YES/2.pose", "YES/1.pose", "NO/1.pose"] {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let mut track = PoseTrack::new(layout.clone(), 25.0, [640, 480, 0]);
            let mut pose = Pose::unseen(layout.len());
            pose.confidence.fill(1.0);
            track.frames = vec![pose; 3];
            write_track_file(&path, &track).unwrap();
        }
        std::fs::write(root.join("notes.txt"), "not a label").unwrap();
        let clips = pose_folder(&root);
        std::fs::remove_dir_all(&root).unwrap();
        let clips = clips.unwrap();
        let found: Vec<_> = clips.iter().map(|c| (c.label.as_str(), c.seq, c.sights.len())).collect();
        assert_eq!(found, [("NO", 0, 3), ("YES", 0, 3), ("YES", 1, 3)]);
        assert!(clips[0].sights[2].hand_seen == [true, true] && clips[0].sights[2].at_s == 0.08);
    }

    #[test]
    fn a_folder_without_clips_is_an_error() {
        let said = pose_folder(Path::new("no/such/folder")).unwrap_err().to_string();
        assert!(said.contains("no/such/folder"), "{said}");
    }
}
