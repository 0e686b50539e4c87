//! What happens to pods when the whole program is there: installed, registered, called.

mod availability;
mod creation;

use crate::installation::Installation;
