//! What a rule says, by its words.

use crate::saved::words;

/// A value that a rule wants, or wants not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Is<'a> {
    pub(super) is_not: bool,
    pub(super) value: &'a str,
}

/// The parts of a rule that our rules consist of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Shape<'a> {
    pub(super) source: Option<Is<'a>>,
    pub(super) destination: Option<Is<'a>>,
    pub(super) input: Option<&'a str>,
    pub(super) output: Option<&'a str>,
    pub(super) protocol: Option<&'a str>,
    /// Destination port, or several.
    pub(super) port: Option<Is<'a>>,
    pub(super) source_port: Option<&'a str>,
    pub(super) users: Vec<Is<'a>>,
    pub(super) groups: Vec<Is<'a>>,
    pub(super) mark: Option<Is<'a>>,
    pub(super) connection_mark: Option<&'a str>,
    pub(super) state: Option<&'a str>,
    pub(super) target: &'a str,
    /// The port that a target sends to.
    pub(super) to_port: Option<&'a str>,
    pub(super) zone: Option<&'a str>,
    /// What a target does with a connection's mark.
    pub(super) saves_mark: bool,
}

impl<'a> Shape<'a> {
    pub(super) fn read(body: &'a str) -> Self {
        let mut shape = Self::default();
        let mut words = words(body).into_iter().peekable();
        let (mut is_not, mut module) = (false, "");
        while let Some(flag) = words.next() {
            match flag {
                "!" => {
                    is_not = true;
                    continue;
                }
                "--save-mark" => shape.saves_mark = true,
                "--restore-mark" => {}
                _ => {
                    let value = words.next().unwrap_or_default();
                    if flag == "-m" {
                        module = value;
                    }
                    shape.set(flag, Is { is_not, value }, module);
                }
            }
            is_not = false;
        }
        shape
    }

    fn set(&mut self, flag: &str, is: Is<'a>, module: &str) {
        match flag {
            "-s" => self.source = Some(is),
            "-d" => self.destination = Some(is),
            "-i" => self.input = Some(is.value),
            "-o" => self.output = Some(is.value),
            "-p" => self.protocol = Some(is.value),
            "--dport" | "--dports" => self.port = Some(is),
            "--sport" => self.source_port = Some(is.value),
            "--uid-owner" => self.users.push(is),
            "--gid-owner" => self.groups.push(is),
            "--mark" if module == "connmark" => self.connection_mark = Some(is.value),
            "--mark" => self.mark = Some(is),
            "--ctstate" => self.state = Some(is.value),
            "-j" | "-g" => self.target = is.value,
            "--to-ports" | "--to-port" | "--on-port" => self.to_port = Some(is.value),
            "--zone" => self.zone = Some(is.value),
            _ => {}
        }
    }

    /// The one user or group that it is about.
    pub(super) fn owner(&self) -> Option<Is<'a>> {
        match (&self.users[..], &self.groups[..]) {
            ([owner], []) | ([], [owner]) => Some(*owner),
            _ => None,
        }
    }

    /// Ready to be said: `TCP`.
    pub(super) fn protocol_name(&self) -> String {
        self.protocol.map_or_else(|| "everything".to_owned(), str::to_uppercase)
    }
}
