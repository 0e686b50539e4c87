package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// How long the start may take on a busy machine.
	startPatience = 2 * time.Minute
	// How long kube-apiserver may take to end. It would wait a minute for clients that watch.
	stopPatience = 1500 * time.Millisecond
)

type settings struct {
	directory        string
	address          net.IP
	temporary        bool
	furtherArguments []string
}

// A part of the server that runs: in this process, or as a child.
type component struct {
	// Gets how it ended, once.
	ended <-chan error
	// Asks it to end. One in this process has got the signal itself.
	terminate func()
	// Ends it at once.
	kill func()
}

func serve(arguments []string) error {
	settings, err := parse(arguments)
	if err != nil {
		return err
	}
	// Children die with the thread that started them.
	runtime.LockOSThread()
	// Before kube-apiserver listens to signals too.
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	var abandoned atomic.Bool
	if settings.temporary {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			abandoned.Store(true)
			_ = syscall.Kill(os.Getpid(), syscall.SIGTERM)
		}()
	}
	// etcd's sockets are relative to the current folder: a path in full may be too long for one.
	if err := enter(settings.directory); err != nil {
		return err
	}
	stderr, err := redirectStderr("log")
	if err != nil {
		return err
	}
	if err := run(settings, stop); err != nil {
		err = fmt.Errorf("%w; see %s/log", err, settings.directory)
		fmt.Fprintf(stderr, "apiserver: %v\n", err)
		os.Exit(1)
	}
	if abandoned.Load() {
		return os.RemoveAll(settings.directory)
	}
	return nil
}

// Starts both, says that they are ready, and ends them when asked.
func run(settings settings, stop <-chan os.Signal) error {
	port, err := rememberedPort(settings.address)
	if err != nil {
		return err
	}
	endpoint := net.JoinHostPort(settings.address.String(), fmt.Sprint(port))
	clients, err := writeFiles(settings, endpoint)
	if err != nil {
		return err
	}
	etcd, err := startEtcd()
	if err != nil {
		return fmt.Errorf("cannot start etcd: %w", err)
	}
	defer etcd.kill()
	server, err := startServer(append(serverArguments(settings, port), settings.furtherArguments...))
	if err != nil {
		return fmt.Errorf("cannot start kube-apiserver: %w", err)
	}
	defer server.kill()

	context, cancel := context.WithTimeout(context.Background(), startPatience)
	defer cancel()
	ready := make(chan error, 1)
	go func() { ready <- clients.waitUntilReady(context, "https://"+endpoint) }()
	for {
		select {
		case err := <-ready:
			if err != nil {
				return err
			}
			fmt.Printf("ready https://%s\n", endpoint)
			ready = nil
		case err := <-etcd.ended:
			return fmt.Errorf("etcd ended: %v", err)
		case err := <-server.ended:
			// Both got the same signal, and this one may come first.
			if len(stop) > 0 {
				return nil
			}
			return fmt.Errorf("kube-apiserver ended: %v", err)
		case <-stop:
			server.terminate()
			select {
			case <-server.ended:
			case <-time.After(stopPatience):
			}
			return nil
		}
	}
}

func parse(arguments []string) (settings, error) {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	flags.Usage = func() { fmt.Fprint(flags.Output(), usage) }
	directory := flags.String("directory", "", "where data, certificates and kubeconfig are kept")
	address := flags.String("address", "127.0.0.1", "where to listen")
	temporary := flags.Bool("temporary", false, "end, and remove the directory, when standard input closes")
	if err := flags.Parse(arguments); err != nil {
		return settings{}, err
	}
	if *directory == "" {
		return settings{}, errors.New("--directory is required")
	}
	absolute, err := filepath.Abs(*directory)
	if err != nil {
		return settings{}, err
	}
	ip := net.ParseIP(*address)
	if ip == nil {
		return settings{}, fmt.Errorf("--address: %q is no IP address", *address)
	}
	return settings{absolute, ip, *temporary, flags.Args()}, nil
}

func enter(directory string) error {
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return err
	}
	return os.Chdir(directory)
}

// Sends what this process and its children write to standard error to the end of a file; returns where it went before.
func redirectStderr(path string) (*os.File, error) {
	log, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	before, err := syscall.Dup(int(os.Stderr.Fd()))
	if err != nil {
		return nil, err
	}
	syscall.CloseOnExec(before)
	return os.NewFile(uintptr(before), "stderr"), syscall.Dup3(int(log.Fd()), int(os.Stderr.Fd()), 0)
}
