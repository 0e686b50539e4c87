// Command schema writes down the Go types that templates see, for the injector to read.
//
// See README.md for the format and how to run it.
package main

import (
	"fmt"
	"log"
	"os"
	"reflect"

	"sidecar.schema/inject"
)

func main() {
	types, err := collect(reflect.TypeFor[inject.SidecarTemplateData]())
	if err != nil {
		log.Fatal(err)
	}
	for _, file := range []struct {
		name     string
		contains func(reflect.Type) bool
	}{
		{"kubernetes.types", func(t reflect.Type) bool { return !isProto(t) }},
		{"istio.types", isProto},
	} {
		if err := os.WriteFile(file.name, text(types, file.contains), 0o644); err != nil {
			log.Fatal(fmt.Errorf("writing %s: %w", file.name, err))
		}
	}
}
