# All valid invites to the organization and its folders.
data "chainguard_invite_codes" "all" {
  group     = "acme.example"
  recursive = true
}

# Those that anyone with the code can accept.
output "open_to_anyone" {
  value = [for invite in data.chainguard_invite_codes.all.invite_codes : invite.id if invite.email == null]
}
