data "chainguard_group" "platform" {
  name = "acme.example/platform"
}

output "platform_group_id" {
  value = data.chainguard_group.platform.id
}
