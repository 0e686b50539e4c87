// Command apiserver is a Kubernetes API server for tests: kube-apiserver, its etcd and kubectl in one program.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	_ "time/tzdata"

	_ "k8s.io/client-go/plugin/pkg/client/auth"
	"k8s.io/component-base/cli"
	"k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"
)

const usage = `usage:
  apiserver serve --directory DIRECTORY [--address IP] [--temporary] [-- KUBE-APISERVER-ARGUMENT...]
  apiserver kubectl ARGUMENT...
`

func main() {
	name, arguments := "", []string(nil)
	if len(os.Args) > 1 {
		name, arguments = os.Args[1], os.Args[2:]
	}
	switch name {
	case "serve":
		if err := serve(arguments); err != nil {
			fmt.Fprintf(os.Stderr, "apiserver: %v\n", err)
			os.Exit(1)
		}
	case "kubectl":
		kubectl(arguments)
	default:
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
}

func kubectl(arguments []string) {
	// Plugins and messages go by the name that the program was called by.
	os.Args = append([]string{"kubectl"}, arguments...)
	if path := asset("kubectl"); path != "" {
		util.CheckErr(syscall.Exec(path, os.Args, os.Environ()))
	}
	if err := cli.RunNoErrOutput(cmd.NewDefaultKubectlCommand()); err != nil {
		util.CheckErr(err)
	}
}

// The program that the environment variable KUBEBUILDER_ASSETS, a folder of programs, has for this name; empty when it
// is not set.
func asset(name string) string {
	folder := os.Getenv("KUBEBUILDER_ASSETS")
	if folder == "" {
		return ""
	}
	return filepath.Join(folder, name)
}
