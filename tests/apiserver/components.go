package main

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"syscall"

	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

// Sockets in the current folder, so that no port can be taken. etcd wants a port: it is a part of the file's name.
const (
	etcdClients = "unix://etcd-clients:0"
	etcdPeers   = "unix://etcd-peers:0"
)

func startEtcd() (component, error) {
	if path := asset("etcd"); path != "" {
		return startChild(path, []string{
			"--data-dir=etcd",
			"--listen-client-urls=" + etcdClients,
			"--advertise-client-urls=" + etcdClients,
			"--listen-peer-urls=" + etcdPeers,
			"--initial-advertise-peer-urls=" + etcdPeers,
			"--initial-cluster=default=" + etcdPeers,
			"--unsafe-no-fsync",
		})
	}
	config := embed.NewConfig()
	config.Dir = "etcd"
	clients, peers := mustParse(etcdClients), mustParse(etcdPeers)
	config.ListenClientUrls, config.AdvertiseClientUrls = clients, clients
	config.ListenPeerUrls, config.AdvertisePeerUrls = peers, peers
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	config.LogLevel = "warn"
	config.WarningUnaryRequestDuration = embed.DefaultWarningUnaryRequestDuration
	// The first of the write-ahead log is made at once, in full: 64 MB otherwise.
	wal.SegmentSizeBytes = 1 << 20
	// The data needs to outlive this process, not the machine.
	config.UnsafeNoFsync = true
	etcd, err := embed.StartEtcd(config)
	if err != nil {
		return component{}, err
	}
	select {
	case <-etcd.Server.ReadyNotify():
		return component{etcd.Err(), func() {}, etcd.Server.HardStop}, nil
	case err := <-etcd.Err():
		return component{}, err
	}
}

func startServer(arguments []string) (component, error) {
	if path := asset("kube-apiserver"); path != "" {
		return startChild(path, arguments)
	}
	command := app.NewAPIServerCommand()
	command.SetArgs(arguments)
	ended := make(chan error, 1)
	go func() { ended <- fmt.Errorf("exit code %d", cli.Run(command)) }()
	// It ends with this process.
	return component{ended, func() {}, func() {}}, nil
}

func startChild(path string, arguments []string) (component, error) {
	command := exec.Command(path, arguments...)
	command.Stdout, command.Stderr = os.Stderr, os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := command.Start(); err != nil {
		return component{}, err
	}
	ended, gone := make(chan error, 1), make(chan struct{})
	go func() {
		ended <- command.Wait()
		close(gone)
	}()
	terminate := func() { _ = command.Process.Signal(syscall.SIGTERM) }
	kill := func() {
		_ = command.Process.Kill()
		<-gone
	}
	return component{ended, terminate, kill}, nil
}

func mustParse(address string) []url.URL {
	parsed, err := url.Parse(address)
	if err != nil {
		panic(err)
	}
	return []url.URL{*parsed}
}
