package emulator

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"chainguard.dev/sdk/proto/capabilities"
	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"chainguard.dev/sdk/uidp"
	"go.yaml.in/yaml/v3"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/clock"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator/internal/services"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator/internal/store"
)

// Seed is the initial content of a platform. UIDPs are derived from names, so they are the same every time. In YAML,
// keys are the names of fields in lower case.
type Seed struct {
	// Organizations are the root groups, with their folders and roles.
	Organizations []SeedGroup
	// Roles are managed roles in addition to those that the platform always has.
	Roles []SeedRole
	// Identities can call the API. AdminToken is for the one named "admin", or else for the first.
	Identities []SeedIdentity
	Invites    []SeedInvite
	// MaxInviteTTL is the longest ttl of an invite; a year if unset.
	MaxInviteTTL time.Duration `yaml:"max_invite_ttl"`
}

// SeedGroup is an organization or a folder.
type SeedGroup struct {
	Name, Description string
	// Unverified organizations may share a name.
	Unverified bool
	Folders    []SeedGroup
	Roles      []SeedRole
}

// SeedRole is a role, with capabilities such as "group_invites.create".
type SeedRole struct {
	Name, Description string
	Capabilities      []string
}

// SeedIdentity is a person or a machine.
type SeedIdentity struct {
	Name, Email string
	// Group is the group of the identity; people belong to none.
	Group string
	// Issuer, Subject and Audience describe the OIDC tokens that may assume the identity, each by a value or by a
	// regular expression for the whole claim. Without either, any issuer and subject match, and the audience must be
	// the platform's issuer.
	Issuer, Subject, Audience string
	IssuerPattern             string `yaml:"issuer_pattern"`
	SubjectPattern            string `yaml:"subject_pattern"`
	AudiencePattern           string `yaml:"audience_pattern"`
	Bindings                  []SeedBinding
}

// SeedBinding grants a role on a group and everything below it.
type SeedBinding struct{ Group, Role string }

// SeedInvite is an invite. The default TTL is a week.
type SeedInvite struct {
	Group, Role, Email string
	TTL                time.Duration
	SingleUse          bool `yaml:"single_use"`
}

// DefaultSeed returns an organization with a folder, a custom role, and an identity that owns the organization.
func DefaultSeed() Seed {
	return Seed{
		Organizations: []SeedGroup{{
			Name:        "acme.example",
			Description: "An organization to try things on.",
			Folders:     []SeedGroup{{Name: "platform", Description: "The platform team."}},
			Roles: []SeedRole{{
				Name:        "invite-manager",
				Description: "Creates, lists and deletes invites.",
				Capabilities: []string{
					"groups.list", "roles.list", "role_bindings.create",
					"group_invites.create", "group_invites.list", "group_invites.delete",
				},
			}},
		}},
		Identities: []SeedIdentity{{
			Name:     "admin",
			Email:    "admin@acme.example",
			Bindings: []SeedBinding{{Group: "acme.example", Role: "owner"}},
		}},
	}
}

// LoadSeed reads and validates a seed in a YAML file. Errors name the file.
func LoadSeed(file string) (Seed, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return Seed{}, fmt.Errorf("reading the seed: %w", err)
	}
	seed, err := ParseSeed(text)
	if err != nil {
		return Seed{}, fmt.Errorf("%s: %w", file, err)
	}
	return seed, nil
}

// ParseSeed parses and validates a seed in YAML.
func ParseSeed(text []byte) (Seed, error) {
	var seed Seed
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&seed); err != nil && !errors.Is(err, io.EOF) {
		return Seed{}, err
	}
	if len(seed.Organizations) == 0 {
		return Seed{}, errors.New("there must be at least one organization, as in\norganizations:\n  - name: acme.example")
	}
	return seed, seed.plant(store.New(clock.Real{}, store.Behavior{}))
}

// seedTime is the creation time of everything but invites: long ago, so that no group counts as new.
var seedTime = time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC)

// viewerUID is the UIDP of the managed role viewer in Chainguard's documentation.
const viewerUID = "63921b2c44617e3f2603851537be0123af4a57d7"

// managedRoles are the roles that the platform always has.
func managedRoles() []store.Role {
	pullTokens := func(pull []capabilities.Capability) []capabilities.Capability {
		return capabilities.SortCaps(capabilities.PullTokenCreatorCaps, pull)
	}
	limitedOwner := capabilities.SortCaps(capabilities.ViewerCaps, []capabilities.Capability{
		capabilities.Capability_CAP_IAM_IDENTITY_CREATE,
		capabilities.Capability_CAP_IAM_ROLE_BINDINGS_CREATE,
	})
	return []store.Role{
		{Name: "owner", Description: "Can do everything in a group.", Capabilities: capabilities.OwnerCaps},
		{Name: "limited_owner", Description: "Viewer that can also create identities and role bindings.", Capabilities: limitedOwner},
		{Name: "editor", Description: "Can change what is in a group, but not who may.", Capabilities: capabilities.EditorCaps},
		{Name: "viewer", UID: viewerUID, Description: "Can see what is in a group, and pull from it.", Capabilities: capabilities.ViewerCaps},
		{Name: "console_viewer", Description: "Can see what is in a group.", Capabilities: capabilities.ConsoleViewerCaps},
		{Name: "registry.pull", Description: "Can pull images.", Capabilities: capabilities.RegistryPullCaps},
		{Name: "registry.push", Description: "Can push images.", Capabilities: capabilities.RegistryPushCaps},
		{Name: "registry.pull_token_creator", Description: "Can create tokens that pull images.", Capabilities: capabilities.RegistryPullTokenCreatorCaps},
		{Name: "apk.pull", Description: "Can pull packages.", Capabilities: capabilities.APKPullCaps},
		{Name: "libraries.java.pull", Description: "Can pull Java libraries.", Capabilities: capabilities.LibrariesJavaPullCaps},
		{Name: "libraries.java.pull_token_creator", Description: "Can create tokens that pull Java libraries.", Capabilities: pullTokens(capabilities.LibrariesJavaPullCaps)},
		{Name: "libraries.python.pull", Description: "Can pull Python libraries.", Capabilities: capabilities.LibrariesPythonPullCaps},
		{Name: "libraries.python.pull_token_creator", Description: "Can create tokens that pull Python libraries.", Capabilities: pullTokens(capabilities.LibrariesPythonPullCaps)},
		{Name: "libraries.javascript.pull", Description: "Can pull JavaScript libraries.", Capabilities: capabilities.LibrariesJavascriptPullCaps},
		{Name: "libraries.javascript.pull_token_creator", Description: "Can create tokens that pull JavaScript libraries.", Capabilities: pullTokens(capabilities.LibrariesJavascriptPullCaps)},
		{Name: "guardener.user", Description: "Can run Guardener.", Capabilities: capabilities.GuardenerUserCaps},
		{Name: "guardener.admin", Description: "Can set up Guardener.", Capabilities: capabilities.GuardenerAdminCaps},
	}
}

// plant adds the content of the seed to an empty store.
func (s Seed) plant(st *store.Store) error {
	if s.MaxInviteTTL < 0 {
		return fmt.Errorf("max_invite_ttl must be positive, is %s", s.MaxInviteTTL)
	}
	st.MaxInviteTTL = cmp.Or(s.MaxInviteTTL, 365*24*time.Hour)
	for _, r := range managedRoles() {
		r.Created, r.Updated = seedTime, seedTime
		st.AddRole("", r)
	}
	if err := plantRoles(st, "", s.Roles); err != nil {
		return err
	}
	for _, g := range s.Organizations {
		if err := plantGroup(st, "", g); err != nil {
			return err
		}
	}
	for _, i := range s.Identities {
		if err := plantIdentity(st, i); err != nil {
			return fmt.Errorf("identity %q: %w", i.Name, err)
		}
	}
	if st.Admin == "" {
		return errors.New("there must be at least one identity, because no one else can call the API")
	}
	for n, i := range s.Invites {
		if err := plantInvite(st, i); err != nil {
			return fmt.Errorf("invite %d: %w", n+1, err)
		}
	}
	return nil
}

func plantGroup(st *store.Store, parent string, g SeedGroup) error {
	what := "an organization"
	if parent != "" {
		what = "a folder"
	}
	if !services.ValidName(g.Name) || len(g.Name) < 3 || len(g.Name) > 63 {
		return fmt.Errorf("%s needs a name of 3 to 63 lower case letters, digits, spaces, dots, dashes and underscores, not %q", what, g.Name)
	}
	for _, other := range st.Groups {
		namesake := other.Name == g.Name && uidp.Parent(other.UID) == parentOf(parent)
		if namesake && (parent != "" || other.Verified && !g.Unverified) {
			return fmt.Errorf("there is %s %q already: only unverified organizations may share a name", what, g.Name)
		}
	}
	if parent != "" && g.Unverified {
		return fmt.Errorf("only organizations can be unverified, not the folder %q", g.Name)
	}
	planted := &store.Group{
		UID:         st.NewUID(parent, "group", g.Name),
		Name:        g.Name,
		Description: g.Description,
		Verified:    parent == "" && !g.Unverified,
		Kind:        iam.OrgKind_ORG_KIND_CUSTOMER,
		Created:     seedTime,
		Updated:     seedTime,
	}
	st.Groups[planted.UID] = planted
	if err := plantRoles(st, planted.UID, g.Roles); err != nil {
		return err
	}
	for _, folder := range g.Folders {
		if err := plantGroup(st, planted.UID, folder); err != nil {
			return err
		}
	}
	return nil
}

func plantRoles(st *store.Store, group string, seeded []SeedRole) error {
	for _, r := range seeded {
		if !services.ValidName(r.Name) {
			return fmt.Errorf("a role needs a name of lower case letters, digits, spaces, dots, dashes and underscores, not %q", r.Name)
		}
		for _, other := range st.Roles {
			if other.Name == r.Name && uidp.Parent(other.UID) == parentOf(group) {
				return fmt.Errorf("there is a role %q here already", r.Name)
			}
		}
		if len(r.Capabilities) == 0 {
			return fmt.Errorf("the role %q needs at least one capability, such as group_invites.list", r.Name)
		}
		var granted []capabilities.Capability
		for _, name := range r.Capabilities {
			c, err := capabilities.Parse(name)
			if err != nil || c == capabilities.Capability_UNKNOWN {
				return fmt.Errorf("the role %q has the unknown capability %q: %s", r.Name, name, likeCapabilities(name))
			}
			granted = append(granted, c)
		}
		st.AddRole(group, store.Role{
			Name:         r.Name,
			Description:  r.Description,
			Capabilities: capabilities.SortCaps(granted),
			Created:      seedTime,
			Updated:      seedTime,
		})
	}
	return nil
}

// parentOf returns what uidp.Parent returns for the children of a group.
func parentOf(group string) string {
	if group == "" {
		return "/"
	}
	return group
}

// likeCapabilities lists the capabilities of the same kind, or some common ones if there are none.
func likeCapabilities(name string) string {
	kind, _, _ := strings.Cut(name, ".")
	var like []string
	for _, known := range capabilities.Names() {
		if k, _, _ := strings.Cut(known, "."); k == kind {
			like = append(like, known)
		}
	}
	if len(like) == 0 {
		return "there are, among others, group_invites.create, group_invites.list, group_invites.delete, role_bindings.create, groups.list and roles.list"
	}
	slices.Sort(like)
	return "there are " + strings.Join(like, ", ")
}

func plantIdentity(st *store.Store, i SeedIdentity) error {
	if i.Name == "" {
		return errors.New("an identity needs a name")
	}
	for _, other := range st.Identities {
		if other.Name == i.Name {
			return fmt.Errorf("there is an identity %q already", i.Name)
		}
	}
	if err := checkEmail(i.Email); err != nil {
		return err
	}
	for _, pattern := range []string{i.IssuerPattern, i.SubjectPattern, i.AudiencePattern} {
		if _, err := regexp.Compile(pattern); err != nil {
			return fmt.Errorf("the pattern %q: %w", pattern, err)
		}
	}
	home := ""
	if i.Group != "" {
		g, err := oneGroup(st, i.Group)
		if err != nil {
			return err
		}
		home = g.UID
	}
	planted := &store.Identity{
		UID:   st.NewUID(home, "identity", i.Name),
		Name:  i.Name,
		Email: i.Email,
		Match: store.Match{
			Issuer: i.Issuer, IssuerPattern: i.IssuerPattern,
			Subject: i.Subject, SubjectPattern: i.SubjectPattern,
			Audience: i.Audience, AudiencePattern: i.AudiencePattern,
		},
		Created: seedTime,
	}
	st.Identities[planted.UID] = planted
	for _, b := range i.Bindings {
		g, r, err := groupAndRole(st, b.Group, b.Role)
		if err != nil {
			return err
		}
		st.Bind(planted.UID, g.UID, r.UID).Created = seedTime
	}
	if i.Name == "admin" || st.Admin == "" {
		st.Admin = planted.UID
	}
	return nil
}

// defaultTTL is the ttl of invites that are added without one.
const defaultTTL = 7 * 24 * time.Hour

func plantInvite(st *store.Store, i SeedInvite) error {
	g, r, err := groupAndRole(st, i.Group, i.Role)
	if err != nil {
		return err
	}
	if err := checkEmail(i.Email); err != nil {
		return err
	}
	if i.TTL < 0 || i.TTL > st.MaxInviteTTL {
		return fmt.Errorf("ttl must be positive and at most %s, not %s", st.MaxInviteTTL, i.TTL)
	}
	st.AddInvite(store.Invite{
		Group:     g.UID,
		RoleUID:   r.UID,
		Email:     i.Email,
		TTL:       cmp.Or(i.TTL, defaultTTL),
		SingleUse: i.SingleUse,
	})
	return nil
}

func groupAndRole(st *store.Store, groupName, roleName string) (*store.Group, *store.Role, error) {
	g, err := oneGroup(st, groupName)
	if err != nil {
		return nil, nil, err
	}
	r := st.FindRole(roleName, g.UID)
	if r == nil {
		var names []string
		for _, known := range st.Roles {
			if known.Within(g.UID) {
				names = append(names, known.Name)
			}
		}
		slices.Sort(names)
		return nil, nil, fmt.Errorf("the group %q has no role %q: there are %s", groupName, roleName, strings.Join(names, ", "))
	}
	return g, r, nil
}

func oneGroup(st *store.Store, name string) (*store.Group, error) {
	found := st.FindGroups(name)
	if len(found) == 1 {
		return found[0], nil
	}
	var paths []string
	for uid := range st.Groups {
		paths = append(paths, st.Path(uid))
	}
	slices.Sort(paths)
	problem := "there is no group"
	if len(found) > 1 {
		problem = "there is more than one group"
	}
	return nil, fmt.Errorf("%s %q: there are %s", problem, name, strings.Join(paths, ", "))
}

func checkEmail(email string) error {
	if email != "" && !services.BareEmail(email) {
		return fmt.Errorf("%q is not a bare email address such as kim@example.com", email)
	}
	return nil
}
