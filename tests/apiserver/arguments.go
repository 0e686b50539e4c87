package main

import "fmt"

// What kube-apiserver is started with. Paths are relative to the current folder.
func serverArguments(settings settings, port int) []string {
	return []string{
		"--etcd-servers=" + etcdClients,
		"--etcd-compaction-interval=0",
		"--etcd-count-metric-poll-period=0",
		"--etcd-db-metric-poll-interval=0",

		"--bind-address=" + settings.address.String(),
		"--advertise-address=" + settings.address.String(),
		fmt.Sprintf("--secure-port=%d", port),
		"--tls-cert-file=server.crt",
		"--tls-private-key-file=server.key",
		"--service-cluster-ip-range=10.96.0.0/16",
		// Endpoints of the Service `kubernetes` may not be on the loopback interface.
		"--endpoint-reconciler-type=none",

		"--client-ca-file=ca.crt",
		"--authorization-mode=RBAC",
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=service-account.key",
		"--service-account-signing-key-file=service-account.key",

		"--allow-privileged=true",
		// Nobody makes the ServiceAccount `default` of a namespace, which this would wait for.
		"--disable-admission-plugins=ServiceAccount",
		// There is no cluster network: a webhook's Service is resolved to its EndpointSlices.
		"--enable-aggregator-routing=true",

		"--audit-log-path=audit.log",
		"--audit-policy-file=audit-policy.yaml",
		"--enable-priority-and-fairness=false",
		"--profiling=false",
	}
}

// With the request, an event also has the patch of every webhook.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
- level: RequestResponse
  verbs: [create, update, patch, delete]
  resources:
  - group: ""
    resources: [pods, pods/ephemeralcontainers]
- level: None
`
