# The Kubernetes API, for the chart's jobs. Sourced. The caller is the pod's service account, or what KUBE_SERVER,
# KUBE_CA, KUBE_CERT and KUBE_KEY say.
set -eu
account=/var/run/secrets/kubernetes.io/serviceaccount
server=${KUBE_SERVER:-https://${KUBERNETES_SERVICE_HOST:-}:${KUBERNETES_SERVICE_PORT:-}}
ca=${KUBE_CA:-$account/ca.crt}
namespace=${NAMESPACE:?set NAMESPACE}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 077

# api METHOD PATH [BODY-FILE [CONTENT-TYPE]]: prints the HTTP status; the body is in $work/answer. Tokens and keys are
# in files, so that no command line shows them.
api() {
  set -- "$1" "$2" "${3:-}" "${4:-application/json}"
  if [ -n "${KUBE_CERT:-}" ]; then
    printf 'cert = "%s"\nkey = "%s"\n' "$KUBE_CERT" "$KUBE_KEY" >"$work/curl"
  else
    printf 'header = "Authorization: Bearer %s"\n' "$(cat "$account/token")" >"$work/curl"
  fi
  [ -z "$3" ] || printf 'header = "Content-Type: %s"\ndata-binary = "@%s"\n' "$4" "$3" >>"$work/curl"
  curl --silent --show-error --max-time 20 --retry 5 --retry-connrefused --cacert "$ca" --config "$work/curl" \
    --request "$1" --output "$work/answer" --write-out '%{http_code}' "$server$2"
}

# fail WHAT STATUS: ends with what the API said.
fail() {
  echo "$1: the API answered $2: $(head -c 500 "$work/answer")" >&2
  exit 1
}
