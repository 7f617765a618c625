#!/usr/bin/env bash
# A Kubernetes of one node for as long as a command runs, as root on a Linux:
#
#   PROGRAMS=... STATE=... IMAGES=archive.tar node.sh command [argument ...]
#
# PROGRAMS is the folder that programs.py builds; containerd, runc and the plugins of CNI are the
# system's. All of it lives in namespaces of its own (network, mounts, host name, IPC, processes):
# its ports, iptables rules, mounts and system settings are nobody else's, and end with the command.
set -euo pipefail
PROGRAMS=$(realpath "${PROGRAMS:?}") STATE=$(realpath "${STATE:?}") IMAGES=$(realpath "${IMAGES:?}")
export PROGRAMS STATE IMAGES
if [ "${1:-}" != --inside ]; then
  # A control group of its own, in each hierarchy, since they outlive the processes in them.
  group=einladung-$$ status=0
  hierarchies=(/sys/fs/cgroup)
  [ -f /sys/fs/cgroup/cgroup.controllers ] || hierarchies=(/sys/fs/cgroup/*/)
  for hierarchy in "${hierarchies[@]}"; do mkdir "$hierarchy/$group"; done
  if [ -d /sys/fs/cgroup/cpuset/$group ]; then # version 1 gives a new one nothing
    for of in cpus mems; do
      cat /sys/fs/cgroup/cpuset/cpuset.$of >/sys/fs/cgroup/cpuset/$group/cpuset.$of
    done
  fi
  GROUP=$group unshare --net --mount --uts --ipc --pid --fork --mount-proc --kill-child \
    "$0" --inside "$@" || status=$?
  for _ in {1..20}; do # its processes are dying
    left=0
    for hierarchy in "${hierarchies[@]}"; do
      find "$hierarchy/$group" -depth -type d -exec rmdir {} + 2>/dev/null || left=1
    done
    [ $left = 0 ] && break
    sleep 0.5
  done
  exit $status
fi
shift

export PATH=$PROGRAMS:$PATH KUBECONFIG=$STATE/admin.kubeconfig
IP=10.98.0.1 SERVICES=10.96.0.0/16 PODS=10.244.0.0/24
CONTAINERD=/run/containerd/containerd.sock
mkdir -p "$STATE"/{logs,etcd,run,cni,kubelet,pods-logs}

# ── a host of its own ───────────────────────────────────────────────────────────────────────────
mount --make-rshared /
hostname node
ip link set lo up
# A bridge without ports holds the node's address: not every kernel has dummy devices.
ip link add node0 type bridge
ip address add $IP/24 dev node0
ip link set node0 up
ip route add default dev node0
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables
mount -t tmpfs -o mode=755 none /run
mkdir -p /run/lock
# The kubelet sets what concerns the whole machine; here it finds it set, in files of ours.
settings=(vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1
  kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000)
for setting in "${settings[@]}"; do
  file=$STATE/run/${setting%%=*}
  mkdir -p "${file%/*}"
  echo "${setting#*=}" >"$file"
  mount --bind "$file" "/proc/sys/${setting%%=*}"
done

start() { # name, program, arguments
  local name=$1
  shift
  "$@" >"$STATE/logs/$name.log" 2>&1 &
}
await() { # what for, seconds, command
  local what=$1 left=$(($2 * 5))
  shift 2
  until "$@" >/dev/null 2>&1; do
    ((left-- > 0)) || { echo "No $what; see $STATE/logs" >&2; exit 1; }
    sleep 0.2
  done
  echo "Kubernetes: $what after $SECONDS s" >&2
}
kubeconfig() { # name, token
  cat >"$STATE/$1.kubeconfig" <<YAML
apiVersion: v1
kind: Config
clusters: [{name: it, cluster: {server: "https://$IP:6443", certificate-authority: "$STATE/apiserver/apiserver.crt"}}]
users: [{name: $1, user: {token: "$2"}}]
contexts: [{name: it, context: {cluster: it, user: $1}}]
current-context: it
YAML
}

# ── API server ──────────────────────────────────────────────────────────────────────────────────
umask 077
openssl genrsa -out "$STATE/accounts.key" 2048 2>/dev/null
openssl rsa -in "$STATE/accounts.key" -pubout -out "$STATE/accounts.pub" 2>/dev/null
: >"$STATE/tokens.csv"
while read -r name user groups; do
  token=$(openssl rand -hex 16)
  echo "$token,$user,$name,\"$groups\"" >>"$STATE/tokens.csv"
  kubeconfig "$name" "$token"
done <<USERS
admin admin system:masters
controllers system:kube-controller-manager system:authenticated
scheduler system:kube-scheduler system:authenticated
node system:node:node system:nodes
proxy system:kube-proxy system:authenticated
dns dns system:masters
USERS
umask 022
start etcd etcd --data-dir "$STATE/etcd" --unsafe-no-fsync --name node \
  --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
  --listen-peer-urls http://127.0.0.1:2380 --initial-advertise-peer-urls http://127.0.0.1:2380 \
  --initial-cluster node=http://127.0.0.1:2380 --log-level warn
start kube-apiserver kube-apiserver --etcd-servers http://127.0.0.1:2379 \
  --cert-dir "$STATE/apiserver" --secure-port 6443 --bind-address 0.0.0.0 \
  --advertise-address $IP --service-cluster-ip-range $SERVICES \
  --service-account-issuer https://kubernetes.default.svc \
  --service-account-key-file "$STATE/accounts.pub" \
  --service-account-signing-key-file "$STATE/accounts.key" \
  --token-auth-file "$STATE/tokens.csv" --authorization-mode Node,RBAC \
  --profiling=false --kubelet-preferred-address-types InternalIP
await "API server" 180 kubectl get --raw /readyz

# ── controllers and scheduler ───────────────────────────────────────────────────────────────────
start kube-controller-manager kube-controller-manager \
  --kubeconfig "$STATE/controllers.kubeconfig" --leader-elect=false --profiling=false \
  --use-service-account-credentials --bind-address 127.0.0.1 \
  --root-ca-file "$STATE/apiserver/apiserver.crt" \
  --service-account-private-key-file "$STATE/accounts.key"
start kube-scheduler kube-scheduler --kubeconfig "$STATE/scheduler.kubeconfig" \
  --leader-elect=false --profiling=false --bind-address 127.0.0.1
await controllers 120 kubectl get serviceaccount default

# ── node ────────────────────────────────────────────────────────────────────────────────────────
cat >"$STATE/cni/10-bridge.conflist" <<JSON
{"cniVersion": "1.0.0", "name": "pods", "plugins": [
  {"type": "bridge", "bridge": "pods0", "isGateway": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "dataDir": "$STATE/run/addresses",
            "ranges": [[{"subnet": "$PODS"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
JSON
# In the form that both containerd 1.6 and 2 take.
cat >"$STATE/containerd.toml" <<TOML
version = 2
root = "$STATE/containerd"
state = "/run/containerd"
[grpc]
  address = "$CONTAINERD"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  disable_apparmor = true
  # Where we lack CAP_SYS_RESOURCE nothing may ask to be spared by the kernel's OOM killer.
  restrict_oom_score_adj = true
  tolerate_missing_hugetlb_controller = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$STATE/cni"
TOML
cat >"$STATE/kubelet.yaml" <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
failCgroupV1: false
cgroupDriver: cgroupfs
cgroupRoot: /$GROUP
containerRuntimeEndpoint: unix://$CONTAINERD
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
clusterDNS: [$IP]
clusterDomain: cluster.local
resolvConf: ""
imageGCHighThresholdPercent: 100
evictionHard: {nodefs.available: "0%", imagefs.available: "0%", nodefs.inodesFree: "0%"}
makeIPTablesUtilChains: false
podLogsDir: $STATE/pods-logs
shutdownGracePeriod: 0s
YAML
cat >"$STATE/proxy.yaml" <<YAML
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: iptables
hostnameOverride: node
clientConnection: {kubeconfig: "$STATE/proxy.kubeconfig"}
clusterCIDR: $PODS
conntrack: {maxPerCore: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
healthzBindAddress: 127.0.0.1:10256
metricsBindAddress: 127.0.0.1:10249
YAML
cat >"$STATE/Corefile" <<CORE
.:53 {
  bind $IP
  errors
  ready 127.0.0.1:8181
  kubernetes cluster.local { kubeconfig $STATE/dns.kubeconfig it
  }
}
CORE
start containerd containerd --config "$STATE/containerd.toml"
await containerd 60 ctr --address $CONTAINERD version
ctr --address $CONTAINERD --namespace k8s.io images import --no-unpack "$IMAGES" >"$STATE/logs/import.log" 2>&1
await images 10 true
start kubelet kubelet --config "$STATE/kubelet.yaml" --kubeconfig "$STATE/node.kubeconfig" \
  --hostname-override node --node-ip $IP --root-dir "$STATE/kubelet" \
  --cert-dir "$STATE/kubelet/pki"
start kube-proxy kube-proxy --config "$STATE/proxy.yaml"
start coredns coredns -conf "$STATE/Corefile"
# Policies: the first packet of each connection is judged by a program. Its own rules need a kernel
# with CONFIG_NFT_QUEUE; these are the same for one without. It thinks itself in a pod.
for rule in "-m owner --uid-owner 0 -j ACCEPT" "-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT" \
  "-s $PODS -j NFQUEUE --queue-num 100" "-d $PODS -j NFQUEUE --queue-num 100"; do
  # shellcheck disable=SC2086 # several arguments on purpose
  iptables --wait --table mangle --append POSTROUTING $rule
done
account=/run/secrets/kubernetes.io/serviceaccount
mkdir -p $account
cp "$STATE/apiserver/apiserver.crt" $account/ca.crt
sed -n 's/,admin,.*//p' "$STATE/tokens.csv" >$account/token
KUBERNETES_SERVICE_HOST=$IP KUBERNETES_SERVICE_PORT=6443 start policies kube-network-policies \
  --hostname-override node --disable-nri --nfqueue-id 100 --metrics-bind-address 127.0.0.1:9080
await "its node" 120 kubectl wait --for=condition=Ready node/node --timeout=1s

status=0
"$@" || status=$?
exit $status
