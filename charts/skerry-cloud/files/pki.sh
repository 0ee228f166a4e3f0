# The hubs' CA and the certificates of their clients, as Secrets. Makes what is missing, renews what is at two thirds of
# its life, whose names have changed or that is another CA's; never replaces a CA. Safe to run at any time, twice too.
# Reads: SECRETS (prefix of the Secrets' names), LIFETIME_DAYS, clients.list (file|CN|O|SANs of openssl).
. "${SCRIPTS:-/scripts}/api.sh"
secrets=/api/v1/namespaces/$namespace/secrets

# field KEY: the value of a data key of the Secret in $work/answer, decoded; nothing where it has none.
field() { tr -d '\n' <"$work/answer" | sed -n 's/.*"'"$1"'": *"\([A-Za-z0-9+/=]*\)".*/\1/p' | base64 -d; }

# secret NAME TYPE KEY=FILE...: prints a Secret.
secret() {
  printf '{"apiVersion":"v1","kind":"Secret","metadata":{"name":"%s","labels":{"app.kubernetes.io/part-of":"skerry"}},' "$1"
  printf '"type":"%s","data":{' "$2"
  shift 2
  comma=
  for entry; do
    printf '%s"%s":"%s"' "$comma" "${entry%%=*}" "$(base64 -w 0 "${entry#*=}")"
    comma=,
  done
  printf '}}'
}

make_ca() {
  openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out "$work/ca.key"
  openssl req -x509 -new -key "$work/ca.key" -sha256 -days 3650 -subj /CN=skerry-ca -out "$work/ca.crt" \
    -addext basicConstraints=critical,CA:TRUE,pathlen:0 -addext keyUsage=critical,keyCertSign,cRLSign
  secret "$SECRETS-ca" Opaque "ca.crt=$work/ca.crt" "ca.key=$work/ca.key" >"$work/body"
  code=$(api POST "$secrets" "$work/body")
  case $code in
    201) echo "CA made: Secret $SECRETS-ca; keep a copy of it in a safe place" ;;
    409) ;;  # Another run was sooner: its CA counts.
    *) fail "create Secret $SECRETS-ca" "$code" ;;
  esac
}

load_ca() {
  code=$(api GET "$secrets/$SECRETS-ca")
  if [ "$code" = 404 ]; then
    make_ca
    code=$(api GET "$secrets/$SECRETS-ca")
  fi
  [ "$code" = 200 ] || fail "get Secret $SECRETS-ca" "$code"
  field 'ca\.crt' >"$work/ca.crt"
  field 'ca\.key' >"$work/ca.key"
  if [ ! -s "$work/ca.crt" ] || [ ! -s "$work/ca.key" ]; then
    echo "Secret $SECRETS-ca needs keys ca.crt and ca.key: put them back from your copy" >&2
    exit 1
  fi
}

# good SANS: whether $work/old.crt is of the CA, for these names, with a third of its life left.
good() {
  [ -s "$work/old.crt" ] && openssl verify -CAfile "$work/ca.crt" "$work/old.crt" >/dev/null 2>&1 &&
    openssl x509 -in "$work/old.crt" -noout -checkend $((LIFETIME_DAYS * 86400 / 3)) >/dev/null || return 1
  have=$(openssl x509 -in "$work/old.crt" -noout -ext subjectAltName 2>/dev/null | sed 1d | tr -d ' \n' | sed 's/IPAddress:/IP:/g')
  [ "$have" = "$1" ]
}

issue() {  # FILE CN O SANS
  name=$SECRETS-$1-tls
  code=$(api GET "$secrets/$name")
  : >"$work/old.crt"
  case $code in
    200) field 'tls\.crt' >"$work/old.crt" ;;
    404) ;;
    *) fail "get Secret $name" "$code" ;;
  esac
  if good "$4"; then return; fi
  openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out "$work/tls.key"
  openssl req -new -key "$work/tls.key" -subj "/O=$3/CN=$2" -out "$work/csr"
  {
    printf 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n'
    if [ -n "$4" ]; then
      printf 'extendedKeyUsage=clientAuth,serverAuth\nsubjectAltName=%s\n' "$4"
    else
      printf 'extendedKeyUsage=clientAuth\n'
    fi
  } >"$work/extensions"
  openssl x509 -req -in "$work/csr" -CA "$work/ca.crt" -CAkey "$work/ca.key" -set_serial "0x$(openssl rand -hex 16)" \
    -sha256 -days "$LIFETIME_DAYS" -extfile "$work/extensions" -out "$work/tls.crt" 2>/dev/null
  secret "$name" kubernetes.io/tls "ca.crt=$work/ca.crt" "tls.crt=$work/tls.crt" "tls.key=$work/tls.key" >"$work/body"
  if [ "$code" = 404 ]; then
    code=$(api POST "$secrets" "$work/body")
  else
    code=$(api PATCH "$secrets/$name" "$work/body" application/merge-patch+json)
  fi
  case $code in
    200 | 201) echo "certificate issued: Secret $name" ;;
    409) ;;
    *) fail "write Secret $name" "$code" ;;
  esac
}

load_ca
while IFS='|' read -r file cn organization sans; do
  issue "$file" "$cn" "$organization" "$sans"
done <"${SCRIPTS:-/scripts}/clients.list"
