// Command gotemplate.oracle asks Go what a template renders to. See README.md.
package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	_ "time/tzdata" // the same zones on every machine
)

const usage = `usage:
  golden [--check] CORPUS_DIR      write, or compare, the golden file of every file of cases
  render                           answer requests, one JSON a line
  generate SEED COUNT              print random requests, one JSON a line
  bench TEMPLATE DATA [--sprig]    time the parsing and the execution of a template`

var errUsage = errors.New(usage)

func main() {
	// Before anything looks at the local time zone.
	if err := os.Setenv("TZ", "UTC"); err != nil {
		panic(err)
	}
	if err := command(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func command(arguments []string) error {
	if len(arguments) == 0 {
		return errUsage
	}
	name, rest := arguments[0], arguments[1:]
	switch {
	case name == "golden":
		rest, checkOnly := takeFlag(rest, "--check")
		if len(rest) != 1 {
			return errUsage
		}
		return golden(rest[0], checkOnly)
	case name == "render" && len(rest) == 0:
		return serve(os.Stdin, os.Stdout)
	case name == workerCommand && len(rest) == 0:
		return work(os.Stdin, os.Stdout)
	case name == "generate" && len(rest) == 2:
		seed, err := strconv.ParseUint(rest[0], 10, 64)
		if err != nil {
			return err
		}
		count, err := strconv.Atoi(rest[1])
		if err != nil {
			return err
		}
		return generate(os.Stdout, seed, count)
	case name == "bench":
		rest, withSprig := takeFlag(rest, "--sprig")
		if len(rest) != 2 {
			return errUsage
		}
		return bench(os.Stdout, rest[0], rest[1], withSprig)
	}
	return errUsage
}

// takeFlag removes a flag, wherever it stands, and says if it was there.
func takeFlag(arguments []string, flag string) ([]string, bool) {
	rest := slices.DeleteFunc(slices.Clone(arguments), func(argument string) bool { return argument == flag })
	return rest, len(rest) < len(arguments)
}
