# All invites to the organization and its folders that are still alive.
data "chainguard_invite_codes" "all" {
  group     = "acme.example"
  recursive = true
}

# Those that anybody who has the code can redeem.
output "open_to_anyone" {
  value = [for invite in data.chainguard_invite_codes.all.invite_codes : invite.id if invite.email == null]
}
