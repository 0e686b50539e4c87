package main

import "io"

func generate(w io.Writer, seed uint64, count int) error { return nil }
