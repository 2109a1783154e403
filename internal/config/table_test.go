package config

import (
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
)

// The tests in this file iterate over Table, so that they cover new settings as well.

// samples are values such that every setting accepts at least two of them.
var samples = []string{
	"https://a.example", "https://b.example", uidpA, uidpB, "google", "github", LoginNever, LoginBrowser, "1m0s", "2m0s", "true", "false",
}

// sample is a value that a setting accepts.
type sample struct {
	text  string
	store func(*Settings)
}

// samplesFor returns the samples that a setting accepts, without equal neighbors.
func samplesFor(t *testing.T, s Setting) []sample {
	t.Helper()
	var taken []sample
	for _, text := range samples {
		if store, err := s.parse(text); err == nil {
			taken = append(taken, sample{text, store})
		}
	}
	if len(taken) < 2 {
		t.Fatalf("%s accepts %d of the samples; add two that it accepts", s.Name, len(taken))
	}
	return slices.Repeat(taken, 4)
}

// has reports whether the settings already have the value that store stores.
func has(s Settings, store func(*Settings)) bool {
	stored := s
	store(&stored)
	return reflect.DeepEqual(s, stored)
}

// places sets a setting to a different value in each of its origins, in order of precedence.
func places(s Setting, values []sample) (block map[string]Value, w world) {
	block, w = map[string]Value{}, world{variables: map[string]string{}, files: map[string]string{}}
	if s.Name != "" {
		block[s.Name] = set(values[0].text)
	}
	for i, variable := range s.Variables {
		w.variables[variable] = values[1+i].text
	}
	if s.Key != "" {
		section, key, _ := strings.Cut(s.Key, ".")
		w.files[searchedFile] = fmt.Sprintf("%s:\n  %s: %q\n", section, key, values[1+len(s.Variables)].text)
	}
	// The values of the setting config are paths.
	for _, value := range values {
		w.files[filepath.ToSlash(w.environment().ExpandPath(value.text))] = ""
	}
	return block, w
}

func TestTable_precedence(t *testing.T) {
	t.Parallel()
	for _, setting := range all {
		t.Run(setting.Name+setting.Key, func(t *testing.T) {
			t.Parallel()
			// Set all origins first, and then remove one after the other.
			values := samplesFor(t, setting)
			block, w := places(setting, values)
			check := func(place string, want sample, origin string) {
				t.Helper()
				s, problems := Resolve(block, w.environment())
				if len(problems) > 0 {
					t.Errorf("%s: %+v", place, problems)
				}
				if !has(s, want.store) {
					t.Errorf("%s: the settings are %+v, want %s", place, s, want.text)
				}
				if got := s.Origin(setting.Name); got != origin {
					t.Errorf("%s: the origin is %q, want %q", place, got, origin)
				}
				if got := s.InBlock(setting.Name); got != (place == "block") {
					t.Errorf("%s: InBlock is %t", place, got)
				}
			}
			if setting.Name != "" {
				check("block", values[0], "the provider block")
				clear(block)
			}
			for i, variable := range setting.Variables {
				check(variable, values[1+i], variable)
				w.variables[variable] = ""
			}
			if setting.Key != "" {
				check("file", values[1+len(setting.Variables)], setting.Key+" in "+searchedFile+", line 2")
				delete(w.files, searchedFile)
			}
			switch fallback, origin := setting.Default, "the default"; {
			case setting.derive != nil:
				text := setting.derive(DefaultAPI)
				store, err := setting.parse(text)
				if err != nil {
					t.Fatal(err)
				}
				check("default", sample{text, store}, origin)
			case fallback != "":
				store, err := setting.parse(fallback)
				if err != nil {
					t.Fatal(err)
				}
				check("default", sample{fallback, store}, origin)
			default:
				s, _ := Resolve(block, w.environment())
				if got := s.Origin(setting.Name); got != "" {
					t.Errorf("without a default, the origin is %q", got)
				}
			}
		})
	}
}

func TestTable_unknownHidesEveryOtherPlace(t *testing.T) {
	t.Parallel()
	for _, setting := range Table {
		t.Run(setting.Name, func(t *testing.T) {
			t.Parallel()
			values := samplesFor(t, setting)
			block, w := places(setting, values)
			block[setting.Name] = unknown()
			s, problems := Resolve(block, w.environment())
			if len(problems) > 0 || len(Validate(block)) > 0 {
				t.Errorf("problem with an unknown value: %+v", problems)
			}
			if !s.IsUnknown(setting.Name) || !s.InBlock(setting.Name) || s.Origin(setting.Name) != "" {
				t.Errorf("unknown: %t, in block: %t, origin %q", s.IsUnknown(setting.Name), s.InBlock(setting.Name), s.Origin(setting.Name))
			}
			for _, value := range values {
				if has(s, value.store) {
					t.Errorf("an unknown setting has the value %s", value.text)
				}
			}

			s.Login = LoginBrowser
			err := s.CheckCallable()
			if want := setting.needed != neededNever; (err != nil) != want || want && !strings.Contains(err.Error(), ": "+setting.Name+".") {
				t.Errorf("CheckCallable: %v; want an error: %t", err, want)
			}
			s.Token = "token"
			if err := s.CheckCallable(); (err != nil) != (setting.needed == neededAlways) && setting.Name != "config" {
				t.Errorf("CheckCallable with a token: %v", err)
			}
		})
	}
}

func TestTable_invalid(t *testing.T) {
	t.Parallel()
	const canary = "c4n4ry"
	for _, setting := range all {
		for name, text := range map[string]string{"empty": "", "blank": " \n", "NUL": canary + "\x00"} {
			t.Run(setting.Name+setting.Key+"/"+name, func(t *testing.T) {
				t.Parallel()
				check := func(place string, problems []Problem, want Problem, parts ...string) {
					t.Helper()
					if len(problems) != 1 {
						t.Fatalf("%s: %d problems, want one: %+v", place, len(problems), problems)
					}
					p := problems[0]
					if p.Attribute != want.Attribute || p.Warning != want.Warning || p.Summary != want.Summary {
						t.Errorf("%s: %+v, want %+v", place, p, want)
					}
					for _, part := range parts {
						if !strings.Contains(p.Detail, part) {
							t.Errorf("%s: %q does not contain %q", place, p.Detail, part)
						}
					}
					if setting.silent && strings.Contains(p.Detail, canary) || strings.ContainsAny(p.Detail, "\x00\n") {
						t.Errorf("%s: the value is shown: %q", place, p.Detail)
					}
				}
				if setting.Name != "" {
					block := map[string]Value{setting.Name: set(text)}
					want := Problem{Attribute: setting.Name, Summary: "Invalid Provider Configuration"}
					check("validate", Validate(block), want, "`"+setting.Name+"`")
					_, problems := Resolve(block, world{}.environment())
					check("block", problems, want, "`"+setting.Name+"`")
				}
				for _, variable := range setting.Variables {
					s, problems := Resolve(nil, world{variables: map[string]string{variable: text}}.environment())
					if text == "" { // Shells and pipelines often unset variables this way.
						if len(problems) > 0 || s.Origin(setting.Name) == variable {
							t.Errorf("%s: %+v, origin %q", variable, problems, s.Origin(setting.Name))
						}
						continue
					}
					check(variable, problems, Problem{Summary: "Invalid Environment Variable"}, variable, setting.Name)
					if !problems[0].Deferrable() {
						t.Errorf("%s: the problem cannot be deferred", variable)
					}
				}
				if setting.Key == "" {
					return
				}
				section, key, _ := strings.Cut(setting.Key, ".")
				s, problems := Resolve(nil, world{files: map[string]string{
					searchedFile: fmt.Sprintf("%s:\n  %s: %q\n", section, key, text),
				}}.environment())
				if without, _ := Resolve(nil, world{}.environment()); !reflect.DeepEqual(s, without) {
					t.Errorf("file: the settings are %+v, want the defaults", s)
				}
				if strings.TrimSpace(text) == "" { // chainctl treats this as unset.
					if len(problems) > 0 {
						t.Errorf("file: %+v", problems)
					}
					return
				}
				check("file", problems, Problem{Warning: true, Summary: "chainctl Configuration Setting Ignored"}, setting.Key, "line 2")
			})
		}
	}
}

func TestTable_whiteSpaceIsTrimmed(t *testing.T) {
	t.Parallel()
	for _, setting := range all {
		if setting.Name == fileSetting.Name {
			continue
		}
		for _, value := range samplesFor(t, setting) {
			s := Settings{}
			store, err := setting.parse(" \t" + value.text + "\r\n")
			if err == nil {
				store(&s)
			}
			if err != nil || !has(s, value.store) {
				t.Errorf("%s: %+v, %v; want %s", setting.Name, s, err, value.text)
			}
		}
	}
}

func TestTable_namesAreUnique(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, setting := range all {
		names := append([]string{setting.Name, setting.Key}, setting.Variables...)
		for _, name := range names {
			if name != "" && seen[name] {
				t.Errorf("%s is used twice", name)
			}
			seen[name] = true
		}
	}
}

func TestTable_docsNameEveryPlace(t *testing.T) {
	t.Parallel()
	table := MarkdownTable()
	for _, setting := range Table {
		description := setting.MarkdownDescription()
		if !strings.HasPrefix(description, setting.Description) || !strings.HasSuffix(setting.Description, ".") {
			t.Errorf("%s: %q", setting.Name, description)
		}
		places := slices.Concat(setting.Variables, []string{setting.Key, setting.Default, setting.DefaultNote})
		for _, place := range places {
			if !strings.Contains(description, place) || !strings.Contains(table, place) {
				t.Errorf("%s: the docs lack %q: %s", setting.Name, place, description)
			}
		}
		if want := setting.Name == "token" || setting.Name == "identity_token"; setting.Sensitive != want || want && !setting.silent {
			t.Errorf("%s: sensitive %t, silent %t", setting.Name, setting.Sensitive, setting.silent)
		}
	}
	if rows := strings.Count(table, "\n"); rows != len(Table)+2 {
		t.Errorf("the table has %d lines:\n%s", rows, table)
	}
}

func set(text string) Value { return Value{Text: redact.Secret(text)} }

func unknown() Value { return Value{Unknown: true} }

// block returns a provider block with these pairs of attributes and values, such as "api", "https://a.example". [later]
// is an unknown value.
func block(pairs ...string) map[string]Value {
	values := map[string]Value{}
	for i := 0; i < len(pairs); i += 2 {
		values[pairs[i]] = Value{Text: redact.Secret(pairs[i+1]), Unknown: pairs[i+1] == later}
	}
	return values
}

// later is the text of a value known only after apply.
const later = "(known after apply)"
