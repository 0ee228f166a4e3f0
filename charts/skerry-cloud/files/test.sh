# helm test: every service is ready, the hubs have this release's CA, the APIs speak TLS of it.
set -eu
tls=${TLS_DIR:-/tls}
tmp=${TMPDIR:-/tmp}
failed=0
check() {  # WHAT COMMAND...
  what=$1
  shift
  if "$@" >"$tmp/out" 2>&1; then echo "ok: $what"; else echo "failed: $what: $(head -c 500 "$tmp/out")"; failed=1; fi
}
for target in $READY; do
  check "$target is ready" curl --silent --show-error --fail-with-body --max-time 10 "http://$target/readyz"
done
same_ca() {
  curl --silent --show-error --fail --max-time 10 --cacert "$tls/ca.crt" "https://$HUB/v1/ca.pem" >"$tmp/ca.pem" &&
    [ "$(openssl x509 -in "$tmp/ca.pem" -outform DER | sha256sum)" = "$(openssl x509 -in "$tls/ca.crt" -outform DER | sha256sum)" ]
}
check "the join port has the release's CA" same_ca
for target in $TLS; do
  check "$target speaks TLS" openssl s_client -connect "$target" -verify_hostname "${target%:*}" -CAfile "$tls/ca.crt" \
    -cert "$tls/tls.crt" -key "$tls/tls.key" -verify_return_error -alpn h2 </dev/null
done
exit $failed
