#!/bin/sh
# Makes a CA and five EC P-256 server certificates anew, and writes src/identities.ts. They protect nothing; the CA's key is thrown
# away. Run: sh packages/testing/scripts/certificates.sh, with OpenSSL 3 (`openssl ca`, because it alone can set both dates in every 3.x).
set -e
cd "$(dirname "$0")/../src"

work=$(mktemp -d)
touch "$work/index"
cat >"$work/ca.cnf" <<END
[ca]
default_ca = ca_default
[ca_default]
database = $work/index
new_certs_dir = $work
rand_serial = yes
unique_subject = no
default_md = sha256
policy = policy
[policy]
commonName = supplied
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[localhost]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost, IP:127.0.0.1, IP:::1
[elsewhere]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:elsewhere.test
[international]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:xn--bcher-kva.test
END

make() { # file, common name, section, not before, not after, further arguments
  file=$1 name=$2 section=$3 from=$4 to=$5
  shift 5
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/$file.key"
  openssl req -new -key "$work/$file.key" -subj "/CN=$name" -config /dev/null -out "$work/$file.csr"
  openssl ca -batch -notext -config "$work/ca.cnf" -extensions "$section" -startdate "$from" -enddate "$to" \
    -in "$work/$file.csr" -out "$work/$file.pem" "$@"
}
by_ca="-cert $work/ca.pem -keyfile $work/ca.key"
make ca 'Holster test CA' authority 20200101000000Z 21250101000000Z -selfsign -keyfile "$work/ca.key"
make server localhost localhost 20200101000000Z 21250101000000Z $by_ca
make expired localhost localhost 20190101000000Z 20200101000000Z $by_ca
make other-host elsewhere.test elsewhere 20200101000000Z 21250101000000Z $by_ca
make self-signed localhost localhost 20200101000000Z 21250101000000Z -selfsign -keyfile "$work/self-signed.key"
make international xn--bcher-kva.test international 20200101000000Z 21250101000000Z -selfsign -keyfile "$work/international.key"

{
  echo '/** The texts of the certificates and keys, which `scripts/certificates.sh` has made. */'
  echo
  echo "import type { Identity } from './identity.js'"
  echo
  printf 'export const ca = `%s\n`\n' "$(cat "$work/ca.pem")"
  for file in server expired other-host self-signed international; do
    name=$(echo "$file" | sed 's/-\(.\)/\U\1/')
    printf '\nexport const %s: Identity = {\n' "$name"
    printf '  key: `%s\n`,\n' "$(cat "$work/$file.key")"
    printf '  cert: `%s\n`,\n}\n' "$(cat "$work/$file.pem")"
  done
} >identities.ts
rm -r "$work"
