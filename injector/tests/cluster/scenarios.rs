//! What happens to pods when the whole program is there: installed, registered, called.

mod creation;
mod failures;

use crate::installation::Installation;
