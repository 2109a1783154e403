#!/bin/sh
# Creates an SSH key pair and an invite code sealed to it, decrypts the code with age, and accepts the invite. It needs
# ssh-keygen, age and the emulator, whose environment file tells the provider where the emulator is:
#
#   emulator serve --env-file platform.env &
#   EMULATOR=path/to/emulator TERRAFORM=tofu ./walkthrough.sh ./platform.env
set -eu

set -a
. "$1"
set +a
emulator=${EMULATOR:-emulator}
here=$(dirname "$0")
terraform() { command "${TERRAFORM:-terraform}" -chdir="$here" "$@"; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# Kim has a key pair, and sends the public key.
ssh-keygen -q -t ed25519 -N "" -C kim@laptop -f "$folder/id_ed25519"

# An administrator creates the invite. Nothing that is printed or saved here contains the code.
export TF_VAR_public_key_file="$folder/id_ed25519.pub"
terraform init -input=false >/dev/null
terraform apply -input=false -auto-approve
terraform output -raw kim >"$folder/code.age"

# Kim decrypts the code and accepts the invite. On the real platform, that is
#   chainctl auth login --invite-code "$(age --decrypt --identity ~/.ssh/id_ed25519 code.age)"
age --decrypt --identity "$folder/id_ed25519" "$folder/code.age" |
  "$emulator" accept --api "$CHAINGUARD_PLATFORM_API" --email kim@acme.example -
