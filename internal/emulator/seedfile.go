package emulator

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// LoadSeed reads a seed from a YAML file. Every error names the file and, where there is one, the line. It also finds
// what New would find wrong.
func LoadSeed(file string) (Seed, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return Seed{}, fmt.Errorf("the seed cannot be read: %w", err)
	}
	seed, err := ParseSeed(text)
	var wrong *SeedError
	if errors.As(err, &wrong) {
		wrong.File = file
	}
	return seed, err
}

// ParseSeed reads a seed from YAML.
func ParseSeed(text []byte) (Seed, error) {
	var seed Seed
	if err := yaml.Unmarshal(text, &seed); err != nil {
		return Seed{}, yamlError(err)
	}
	if len(seed.Organizations) == 0 {
		return Seed{}, wrongAt(0, "there must be at least one organization, as in\norganizations:\n  - name: acme.example")
	}
	if _, err := seed.plant(seedTime); err != nil {
		return Seed{}, err
	}
	return seed, nil
}

// lineOf finds the line that the YAML package puts into its errors.
var lineOf = regexp.MustCompile(`^(?:yaml: )?line (\d+): (.*)$`)

// yamlError makes one error of what the YAML package says, which may be many.
func yamlError(err error) error {
	var own *SeedError
	if errors.As(err, &own) {
		return own
	}
	text := err.Error()
	var types *yaml.TypeError
	if errors.As(err, &types) && len(types.Errors) > 0 {
		text = types.Errors[0]
	}
	if parts := lineOf.FindStringSubmatch(text); parts != nil {
		line, _ := strconv.Atoi(parts[1]) // digits, as the pattern says
		return wrongAt(line, "%s", plainType.Replace(parts[2]))
	}
	return wrongAt(0, "%s", strings.TrimPrefix(text, "yaml: "))
}

// plainType says Go's types in words that a writer of YAML knows.
var plainType = strings.NewReplacer(
	"cannot unmarshal", "cannot take",
	"!!str", "the text",
	"!!int", "the number",
	"!!bool", "the truth value",
	"!!map", "a mapping",
	"!!seq", "a list",
	" into ", " as ",
	"[]emulator.SeedGroup", "a list of groups",
	"[]emulator.SeedRole", "a list of roles",
	"[]emulator.SeedIdentity", "a list of identities",
	"[]emulator.SeedBinding", "a list of bindings",
	"[]emulator.SeedInvite", "a list of invites",
	"[]string", "a list of texts",
	"time.Duration", "a duration such as 168h",
)

// UnmarshalYAML implements [yaml.Unmarshaler].
func (s *Seed) UnmarshalYAML(node *yaml.Node) error {
	type plain Seed
	return decode(node, "the seed", nil, (*plain)(s))
}

// UnmarshalYAML implements [yaml.Unmarshaler].
func (g *SeedGroup) UnmarshalYAML(node *yaml.Node) error {
	type plain SeedGroup
	return decode(node, "an organization or folder", &g.line, (*plain)(g))
}

// UnmarshalYAML implements [yaml.Unmarshaler].
func (r *SeedRole) UnmarshalYAML(node *yaml.Node) error {
	type plain SeedRole
	return decode(node, "a role", &r.line, (*plain)(r))
}

// UnmarshalYAML implements [yaml.Unmarshaler].
func (i *SeedIdentity) UnmarshalYAML(node *yaml.Node) error {
	type plain SeedIdentity
	return decode(node, "an identity", &i.line, (*plain)(i))
}

// UnmarshalYAML implements [yaml.Unmarshaler].
func (b *SeedBinding) UnmarshalYAML(node *yaml.Node) error {
	type plain SeedBinding
	return decode(node, "a binding", &b.line, (*plain)(b))
}

// UnmarshalYAML implements [yaml.Unmarshaler].
func (i *SeedInvite) UnmarshalYAML(node *yaml.Node) error {
	type plain SeedInvite
	return decode(node, "an invite", &i.line, (*plain)(i))
}

// decode reads a mapping into a struct, remembers its line, and refuses keys that the struct does not have, naming
// those that it has. The YAML package's own strictness does not say what is allowed.
func decode(node *yaml.Node, what string, line *int, into any) error {
	var allowed []string
	fields := reflect.TypeOf(into).Elem()
	for i := range fields.NumField() {
		if key := fields.Field(i).Tag.Get("yaml"); key != "" {
			allowed = append(allowed, key)
		}
	}
	if node.Kind != yaml.MappingNode {
		return wrongAt(node.Line, "%s must be a mapping with the keys %s", what, strings.Join(allowed, ", "))
	}
	for i := 0; i < len(node.Content); i += 2 {
		key := node.Content[i]
		if !slices.Contains(allowed, key.Value) {
			return wrongAt(key.Line, "%s has no key %q: allowed are %s", what, key.Value, strings.Join(allowed, ", "))
		}
	}
	if line != nil {
		*line = node.Line
	}
	return node.Decode(into)
}
