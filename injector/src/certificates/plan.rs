//! What the Secret should hold next.

use std::time::{Duration, SystemTime};

use super::issue::{new_authority, sign};
use super::material::MAX_AUTHORITIES;
use super::{Authority, CertificateError, Data, Material, PrivateKey, Settings};

/// What is known besides the Secret.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// The wall clock.
    pub now: SystemTime,
    /// How long, by the monotonic clock, the Secret has held its present bundle at least: since this process saw it first.
    pub bundle_age: Duration,
    /// The bundle that the webhook configuration is known to hold, PEM; none when nobody knows. What it is not known to
    /// hold signs only when what signs is about to end.
    pub published: Option<&'a str>,
    /// What was last seen whole: it helps when the Secret is deleted or damaged.
    pub last: Option<&'a Material>,
}

/// A step that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing was there that could be served: a new authority signs at once.
    FirstAuthority,
    /// A new authority is in the bundle, and does not sign yet.
    NextAuthority,
    /// The new authority signs, the key of the old one is gone.
    Switched,
    /// A serving certificate was made.
    Issued,
    /// What was missing or damaged is as it was last seen.
    Restored,
    /// An authority that expired, or is not valid yet and signs nothing, is out of the bundle.
    Dropped,
}

/// What should be done.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What the Secret should hold.
    pub material: Material,
    /// Whether it does not yet.
    pub is_changed: bool,
    /// The steps to that, in order.
    pub changes: Vec<Change>,
    /// What could not be used in the Secret.
    pub problems: Vec<String>,
}

impl Change {
    /// The step as the value of a metric's label.
    pub fn label(self) -> &'static str {
        match self {
            Self::FirstAuthority => "authority_created",
            Self::NextAuthority => "authority_published",
            Self::Switched => "authority_switched",
            Self::Issued => "certificate_issued",
            Self::Restored => "restored",
            Self::Dropped => "authority_dropped",
        }
    }

    /// The step as the reason of an Event.
    pub fn reason(self) -> &'static str {
        match self {
            Self::FirstAuthority => "AuthorityCreated",
            Self::NextAuthority => "AuthorityPublished",
            Self::Switched => "AuthoritySwitched",
            Self::Issued => "CertificateIssued",
            Self::Restored => "CertificateRestored",
            Self::Dropped => "AuthorityDropped",
        }
    }
}

/// What the Secret should hold, given its data; none when there is no Secret.
///
/// # Errors
/// When a name is no DNS name or address, or no certificate can be made.
pub fn plan(present: Option<&Data>, settings: &Settings, situation: Situation<'_>) -> Result<Plan, CertificateError> {
    let (material, problems) = match present {
        Some(data) => Material::read(data),
        None => (Material::default(), Vec::new()),
    };
    let bundle = material.bundle();
    let mut next = Next { material, changes: Vec::new(), settings, situation };
    next.restore(!problems.is_empty());
    next.drop_unusable();
    if next.material.bundle() != bundle {
        next.situation.bundle_age = Duration::ZERO;
    }
    next.rotate()?;
    next.serve()?;
    let Next { material, changes, .. } = next;
    let is_changed = present != Some(&material.to_data());
    Ok(Plan { material, is_changed, changes, problems })
}

struct Next<'a> {
    material: Material,
    changes: Vec<Change>,
    settings: &'a Settings,
    situation: Situation<'a>,
}

impl Next<'_> {
    /// What a replica may still serve, and what a client may still trust, outlives a deleted or damaged Secret. Keys of
    /// authorities do not: who deletes the Secret wants new ones.
    fn restore(&mut self, is_damaged: bool) {
        let Some(last) = self.situation.last else { return };
        let has_key = self.material.signer.is_some() || self.material.next.is_some();
        if !is_damaged && has_key && self.is_served() {
            return;
        }
        let before = self.material.clone();
        for authority in &last.authorities {
            if authority.validity.contains(self.situation.now) && !self.material.authorities.contains(authority) {
                self.material.authorities.push(authority.clone());
            }
        }
        if !self.is_served() && last.serving.is_some() {
            self.material.serving.clone_from(&last.serving);
        }
        self.make_room(MAX_AUTHORITIES);
        if self.material != before {
            self.changes.push(Change::Restored);
        }
    }

    fn drop_unusable(&mut self) {
        let now = self.situation.now;
        let before = self.material.authorities.len();
        let mut authorities = std::mem::take(&mut self.material.authorities);
        authorities.retain(|authority| {
            authority.validity.contains(now)
                || authority.validity.until > now && self.has_key(authority)
                || self.is_behind(authority)
        });
        self.material.authorities = authorities;
        if self.material.authorities.len() < before {
            self.changes.push(Change::Dropped);
        }
    }

    fn rotate(&mut self) -> Result<(), CertificateError> {
        let now = self.situation.now;
        let (signer, next) = (self.valid(self.material.signer.as_ref()), self.valid(self.material.next.as_ref()));
        let is_late = signer.as_ref().is_some_and(|signer| signer.validity.is_late(now));
        let ends_soon = signer.as_ref().is_none_or(|signer| now + self.settings.lifetime >= signer.validity.until);
        let (has_signer, has_next) = (signer.is_some(), next.is_some());
        if !has_signer {
            self.material.signer = None;
        }
        if !has_next {
            self.material.next = None;
        }
        match next {
            None if !has_signer && !self.is_served() => {
                self.material.signer = Some(self.add_authority()?);
                self.changes.push(Change::FirstAuthority);
            }
            None if !has_signer || is_late => {
                self.material.next = Some(self.add_authority()?);
                self.changes.push(Change::NextAuthority);
            }
            Some(next) if self.may_switch(&next, ends_soon) => {
                self.material.signer = self.material.next.take();
                self.material.serving = None;
                self.changes.push(Change::Switched);
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether the next authority is trusted by every client, or waiting for that makes things worse.
    fn may_switch(&self, next: &Authority, ends_soon: bool) -> bool {
        let Situation { now, bundle_age, published, .. } = self.situation;
        if !self.is_served() {
            return true;
        }
        let is_published =
            published.is_some_and(|bundle| super::material::authorities(bundle, &mut Vec::new()).contains(next));
        let is_accepted = |pair: &super::Pair| pair.verifies(&self.material.authorities, &self.settings.names, now);
        if self.material.serving.as_ref().is_some_and(is_accepted) {
            bundle_age >= self.settings.overlap && (is_published || ends_soon)
        } else {
            bundle_age >= self.settings.overlap || bundle_age >= self.settings.propagation && is_published
        }
    }

    /// Makes a serving certificate when there is none, or it will not do for much longer.
    fn serve(&mut self) -> Result<(), CertificateError> {
        let Some(signer) = self.valid(self.material.signer.as_ref()) else { return Ok(()) };
        let now = self.situation.now;
        let is_good = self.material.serving.as_ref().is_some_and(|pair| {
            !pair.validity.is_late(now) && pair.verifies(&self.material.authorities, &self.settings.names, now)
        });
        if let (false, Some(key)) = (is_good, &self.material.signer) {
            let until = (now + self.settings.lifetime).min(signer.validity.until);
            // One that ends with its authority is late from the start, and is not made again and again.
            let ends_with_signer = until == signer.validity.until;
            let present = self.material.serving.as_ref().filter(|_| ends_with_signer);
            let is_best = present.is_some_and(|pair| {
                pair.validity.until == until && pair.verifies(&self.material.authorities, &self.settings.names, now)
            });
            if !is_best {
                self.material.serving = Some(sign(&signer, key, &self.settings.names, now, until)?);
                self.changes.push(Change::Issued);
            }
        }
        Ok(())
    }

    /// Whether replicas have something to serve whose authority is in the bundle, be it in time or not.
    fn is_served(&self) -> bool {
        let Material { authorities, serving, .. } = &self.material;
        serving.as_ref().is_some_and(|pair| pair.is_signed_by(authorities, &self.settings.names))
    }

    fn valid(&self, key: Option<&PrivateKey>) -> Option<Authority> {
        let authority = self.material.authority_of(key)?;
        authority.validity.contains(self.situation.now).then(|| authority.clone())
    }

    fn add_authority(&mut self) -> Result<PrivateKey, CertificateError> {
        let (authority, key) = new_authority(self.situation.now, self.settings.ca_lifetime)?;
        self.make_room(MAX_AUTHORITIES - 1);
        self.material.authorities.push(authority);
        Ok(key)
    }

    /// Whoever deletes the Secret again and again within months has the oldest authorities forgotten.
    fn make_room(&mut self, length: usize) {
        while self.material.authorities.len() > length {
            let authorities = &self.material.authorities;
            let unused =
                authorities.iter().position(|authority| !self.has_key(authority) && !self.is_behind(authority));
            let Some(unused) = unused else { return };
            self.material.authorities.remove(unused);
        }
    }

    fn has_key(&self, authority: &Authority) -> bool {
        [&self.material.signer, &self.material.next].into_iter().flatten().any(|key| authority.has_key(key))
    }

    fn is_behind(&self, authority: &Authority) -> bool {
        let names = &self.settings.names;
        let serving = self.material.serving.as_ref();
        serving.is_some_and(|pair| pair.is_signed_by(std::slice::from_ref(authority), names))
    }
}
