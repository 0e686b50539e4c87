//! What `-f` names: files, directories, standard input, and addresses.

use std::collections::HashSet;
use std::fs;
use std::io::{self, Cursor, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::opening::open;
use super::{FileError, display, download, text_of};

/// Endings of the files that are taken from a directory.
const ENDINGS: [&str; 3] = ["yaml", "yml", "json"];

/// Something to read manifests from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Standard input.
    StandardInput,
    /// A file.
    File(PathBuf),
    /// An `https://` address.
    Address(String),
}

impl Input {
    /// How a person knows it.
    pub fn name(&self) -> String {
        match self {
            Self::StandardInput => display(Path::new("-")),
            Self::File(path) => display(path),
            Self::Address(address) => download::without_secret(address),
        }
    }

    /// Reads all of it.
    ///
    /// # Errors
    /// When it cannot be opened, is larger than 64 MiB, or is not UTF-8.
    pub fn read(&self) -> Result<String, FileError> {
        text_of(self.open()?, self.name())
    }

    /// Opens it.
    ///
    /// # Errors
    /// When it is not there or cannot be read, and when nobody writes to it.
    pub fn open(&self) -> Result<Box<dyn Read>, FileError> {
        match self {
            Self::StandardInput => Ok(Box::new(io::stdin().lock())),
            Self::File(path) => open(path).map(|file| Box::new(file) as Box<dyn Read>).map_err(error_at(path)),
            Self::Address(address) => {
                let fetched = download::fetch(address).map(|bytes| Box::new(Cursor::new(bytes)) as Box<dyn Read>);
                fetched.map_err(|source| FileError { path: self.name(), action: "cannot be fetched", source })
            }
        }
    }
}

/// What the given names stand for, in their order; the files of a directory by name. What is named twice is read once.
///
/// # Errors
/// All names that stand for nothing; the inputs that were found are given beside.
pub fn inputs(given: &[PathBuf], recursive: bool) -> (Vec<Input>, Vec<FileError>) {
    let mut found = Found {
        recursive,
        inputs: Vec::new(),
        seen: HashSet::new(),
        directories: HashSet::new(),
        has_manifests: false,
        errors: Vec::new(),
    };
    for path in given {
        found.add(path);
    }
    (found.inputs, found.errors)
}

struct Found {
    recursive: bool,
    inputs: Vec<Input>,
    /// Device and number of each file.
    seen: HashSet<(u64, u64)>,
    /// Device and number of each directory that was listed: links may lead to it on ever so many ways.
    directories: HashSet<(u64, u64)>,
    /// Whether the directory that was named has anything to read, be it that it was read already.
    has_manifests: bool,
    errors: Vec<FileError>,
}

impl Found {
    fn add(&mut self, path: &Path) {
        let text = path.to_str().unwrap_or_default();
        if text == "-" {
            if !self.inputs.contains(&Input::StandardInput) {
                self.inputs.push(Input::StandardInput);
            }
        } else if has_scheme(text, "https://") {
            self.inputs.push(Input::Address(text.to_owned()));
        } else if has_scheme(text, "http://") {
            let why = "over http anybody on the way can change what is applied; use https://, or fetch it yourself";
            self.refuse(path, "is not fetched", why);
        } else {
            match fs::metadata(path) {
                Ok(metadata) if metadata.is_dir() => {
                    let mistakes = self.errors.len();
                    self.has_manifests = false;
                    self.directory(path, &mut Vec::new());
                    if !self.has_manifests && mistakes == self.errors.len() {
                        let recursively = if self.recursive { "" } else { "; -R looks into the directories in it" };
                        self.refuse(path, "has nothing to read", &format!("no *.yaml, *.yml or *.json{recursively}"));
                    }
                }
                Ok(metadata) => self.file(path, &metadata),
                Err(source) => self.errors.push(FileError { path: display(path), action: "cannot be opened", source }),
            }
        }
    }

    fn file(&mut self, path: &Path, metadata: &fs::Metadata) {
        self.has_manifests = true;
        if !metadata.is_file() || self.seen.insert((metadata.dev(), metadata.ino())) {
            self.inputs.push(Input::File(path.to_owned()));
        }
    }

    /// Hidden files and directories are passed over. `above` are the directories that led here.
    fn directory(&mut self, path: &Path, above: &mut Vec<(u64, u64)>) {
        let list = || {
            let metadata = fs::metadata(path)?;
            let entries = fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
            Ok(((metadata.dev(), metadata.ino()), entries))
        };
        let (this, mut entries) = match list() {
            Ok(listed) => listed,
            Err(source) => {
                let path = display(path);
                return self.errors.push(FileError { path, action: "cannot be listed", source });
            }
        };
        if above.contains(&this) {
            return self.refuse(path, "is not followed", "it leads back to a directory above it");
        }
        if self.recursive && !self.directories.insert(this) {
            self.has_manifests = true;
            return;
        }
        above.push(this);
        entries.sort();
        for entry in entries {
            let is_hidden = entry.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            let is_manifest = entry.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known));
            match fs::metadata(&entry) {
                _ if is_hidden => {}
                Ok(metadata) if metadata.is_dir() && self.recursive => self.directory(&entry, above),
                Ok(metadata) if metadata.is_dir() || !is_manifest => {}
                Ok(metadata) if metadata.is_file() => self.file(&entry, &metadata),
                Ok(_) => self.refuse(&entry, "is not read", "it is no regular file; name it with -f to read it"),
                Err(_) if !is_manifest => {}
                Err(source) => {
                    self.errors.push(FileError { path: display(&entry), action: "cannot be opened", source });
                }
            }
        }
        above.pop();
    }

    fn refuse(&mut self, path: &Path, action: &'static str, why: &str) {
        self.errors.push(FileError { path: display(path), action, source: io::Error::other(why.to_owned()) });
    }
}

fn has_scheme(text: &str, scheme: &str) -> bool {
    text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
}

fn error_at(path: &Path) -> impl Fn(io::Error) -> FileError {
    let path = display(path);
    move |source| FileError { path: path.clone(), action: "cannot be opened", source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::stat::Mode;
    use std::os::unix::fs::symlink;

    fn names(found: &[Input], folder: &Path) -> Vec<String> {
        found.iter().map(|input| input.name().replace(&format!("{}/", folder.display()), "")).collect()
    }

    #[test]
    fn a_directory_stands_for_its_manifests_by_name() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.yml", "a.yaml", "c.json", "notes.txt", ".hidden.yaml", "d/e.yaml", ".git/f.yaml"] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        symlink(folder.path().join("a.yaml"), folder.path().join("z.yaml")).unwrap();
        let (flat, errors) = inputs(&[folder.path().to_owned(), folder.path().join("b.yml")], false);
        assert!(errors.is_empty(), "{errors:?}");
        assert_eq!(names(&flat, folder.path()), ["a.yaml", "b.yml", "c.json"]);
        let (deep, _) = inputs(&[folder.path().to_owned()], true);
        assert_eq!(names(&deep, folder.path()), ["a.yaml", "b.yml", "c.json", "d/e.yaml"]);
    }

    #[test]
    fn directories_are_listed_once_however_many_links_lead_to_them() {
        let folder = tempfile::tempdir().unwrap();
        for level in 0..40 {
            let here = folder.path().join(level.to_string());
            fs::create_dir(&here).unwrap();
            for name in ["left", "right"] {
                symlink(folder.path().join((level + 1).to_string()), here.join(name)).unwrap();
            }
        }
        fs::create_dir(folder.path().join("40")).unwrap();
        fs::write(folder.path().join("40/a.yaml"), "").unwrap();
        let (found, errors) = inputs(&[folder.path().join("0"), folder.path().join("40")], true);
        assert!(errors.is_empty(), "{errors:?}");
        assert_eq!(found.len(), 1, "{found:?}");
    }

    #[test]
    fn what_is_named_twice_is_no_mistake() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.yaml"), "").unwrap();
        for recursive in [false, true] {
            let (found, errors) = inputs(&[folder.path().to_owned(), folder.path().to_owned()], recursive);
            assert!(found.len() == 1 && errors.is_empty(), "{found:?} {errors:?}");
        }
    }

    #[test]
    fn loops_pipes_and_empty_directories_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (empty, looped) = (folder.path().join("empty"), folder.path().join("looped"));
        fs::create_dir(&empty).unwrap();
        fs::create_dir(&looped).unwrap();
        symlink(&looped, looped.join("again")).unwrap();
        nix::unistd::mkfifo(&looped.join("pipe.yaml"), Mode::S_IRWXU).unwrap();
        let given = [empty, looped, "HTTP://example.org/a.yaml".into()];
        let (found, errors) = inputs(&given, true);
        assert_eq!(found, []);
        let said: Vec<_> = errors.iter().map(|error| format!("{error}: {}", error.source)).collect();
        let expected = ["no *.yaml", "leads back", "no regular file", "use https"];
        assert_eq!(said.len(), expected.len(), "{said:?}");
        assert!(said.iter().zip(expected).all(|(said, expected)| said.contains(expected)), "{said:?}");
    }
}
