//! What happens to pods when the whole program is there: installed, registered, called.

mod creation;
mod first_start;

use crate::installation::Installation;
