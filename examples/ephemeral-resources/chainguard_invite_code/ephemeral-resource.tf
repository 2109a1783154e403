# A code for this run. It is stored in no file, and is deleted when the runner below, which needs chainctl, has accepted the invite.
ephemeral "chainguard_invite_code" "runner" {
  group      = "acme.example/platform"
  role       = "registry.pull"
  ttl        = "15m"
  single_use = true
}

resource "terraform_data" "runner" {
  provisioner "local-exec" {
    command     = "chainctl auth login --invite-code \"$INVITE_CODE\""
    environment = { INVITE_CODE = ephemeral.chainguard_invite_code.runner.code }
  }
}
