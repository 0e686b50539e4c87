//! Printing values as Go's package `fmt` does.
