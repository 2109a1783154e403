package config

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
)

// readConfigFile reads the config file that the user set. Failing to read it is an error.
func readConfigFile(env Environment, path string, from origin) (configFile, []Problem) {
	path = env.ExpandPath(path)
	problem := Problem{Summary: summaryReadFile}
	if from.level == levelBlock {
		problem.Attribute = fileSetting.Name
	}

	data, err := env.ReadFile(path)
	if err != nil {
		problem.Detail = fmt.Sprintf("%s, which %s names, cannot be read: %s. Correct the path, or remove it to use chainctl's "+
			"own configuration file.", path, from.text, fileError(err))
		return configFile{}, []Problem{problem}
	}
	file, err := parseConfigFile(path, data)
	if err != nil {
		problem.Detail = fmt.Sprintf("%s, which %s names, is not a chainctl configuration file: %s. "+
			"Run `chainctl config validate` for details.", path, from.text, err)
		return configFile{}, []Problem{problem}
	}
	return file, nil
}

// searchConfigFile reads the first existing file in chainctl's search order. An invalid one is skipped with a warning,
// because the user did not ask for it.
func searchConfigFile(env Environment) (file configFile, warnings []Problem) {
	for _, path := range env.configFiles() {
		data, err := env.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		var reason string
		if err != nil {
			reason = fmt.Sprintf("%s cannot be read: %s", path, fileError(err))
		} else if file, err := parseConfigFile(path, data); err != nil {
			reason = fmt.Sprintf("%s is not a chainctl configuration file: %s", path, err)
		} else {
			return file, warnings
		}
		warnings = append(warnings, Problem{
			Warning: true,
			Summary: summaryFileIgnored,
			Detail:  reason + ". Run `chainctl config validate` for details.",
		})
	}
	return configFile{}, warnings
}

// configFiles returns the paths of chainctl's config file in its search order.
func (e Environment) configFiles() []string {
	var paths []string
	if e.WorkDir != "" {
		paths = append(paths, filepath.Join(e.WorkDir, "chainctl", "config.yaml"))
	}
	if e.ConfigDir != "" {
		paths = append(paths, filepath.Join(e.ConfigDir, "chainctl", "config.yaml"))
	}
	if e.HomeDir != "" {
		paths = append(paths, filepath.Join(e.HomeDir, ".chainguard", "config.yaml"))
	}
	return paths
}

// fileError describes a file error without the path, which the caller adds.
func fileError(err error) string {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		err = pathError.Err
	}
	return err.Error()
}

// configFile has the entries of a chainctl config file that the provider uses.
type configFile struct {
	path    string
	entries map[string]entry
}

type entry struct {
	key  string
	text string
	line int
}

// where returns the file and line of an entry.
func (f configFile) where(e entry) string {
	return fmt.Sprintf("%s in %s, line %d", e.key, f.path, e.line)
}

// moveSocialLogin moves a social login set as the identity provider to the key for social logins. The two cannot be
// confused, because an identity provider is a UIDP.
func (f configFile) moveSocialLogin() []Problem {
	const deprecated, current = "default.identity-provider", "default.social-login"
	e, ok := f.entries[deprecated]
	if !ok {
		return nil
	}
	if _, err := parseSocialLogin(e.text); err != nil {
		return nil
	}
	delete(f.entries, deprecated)
	if _, ok := f.entries[current]; !ok {
		f.entries[current] = e
	}
	return []Problem{{
		Warning: true,
		Summary: summaryDeprecatedSetting,
		Detail: fmt.Sprintf("The social login %s of %s belongs in %s. Run `chainctl config unset %s` and "+
			"`chainctl config set %s %s`.", redact.Quote(e.text), f.where(e), current, deprecated, current, e.text),
	}}
}

// parseConfigFile parses a chainctl config file: two levels of keys in YAML. It ignores unknown keys, which newer
// versions of chainctl may use, but validates the shape of the sections it reads. Errors include the line.
func parseConfigFile(path string, data []byte) (configFile, error) {
	file := configFile{path: path, entries: make(map[string]entry)}

	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		return configFile{}, yamlError(err)
	}
	if document.Kind == 0 {
		return file, nil // The file has only comments.
	}
	root := document.Content[0]
	if isNull(root) {
		return file, nil
	}
	if root.Kind != yaml.MappingNode {
		return configFile{}, fmt.Errorf(`line %d: it must begin with keys such as "platform:"`, root.Line)
	}

	for name, section := range pairs(root) {
		if name != "platform" && name != "default" || isNull(section) {
			continue
		}
		if section.Kind != yaml.MappingNode {
			return configFile{}, fmt.Errorf("line %d: below %q there must be keys", section.Line, name)
		}
		for key, value := range pairs(section) {
			key = name + "." + key
			switch {
			case !isRead(key), isNull(value):
				continue
			case value.Kind != yaml.ScalarNode:
				return configFile{}, fmt.Errorf("line %d: the value of %q must be a single one", value.Line, key)
			case strings.TrimSpace(value.Value) != "":
				file.entries[key] = entry{key: key, text: value.Value, line: value.Line}
			}
		}
	}
	return file, nil
}

// isRead reports whether the provider uses a key.
func isRead(key string) bool {
	return slices.ContainsFunc(all, func(s Setting) bool { return s.Key == key })
}

// pairs yields the keys and values of a mapping, with aliases resolved.
func pairs(mapping *yaml.Node) func(yield func(string, *yaml.Node) bool) {
	return func(yield func(string, *yaml.Node) bool) {
		for i := 0; i+1 < len(mapping.Content); i += 2 {
			value := mapping.Content[i+1]
			if value.Kind == yaml.AliasNode {
				value = value.Alias
			}
			if !yield(mapping.Content[i].Value, value) {
				return
			}
		}
	}
}

func isNull(node *yaml.Node) bool {
	return node.Kind == yaml.ScalarNode && node.Tag == "!!null"
}

var yamlLine = regexp.MustCompile(`^line (\d+): `)

// yamlError rewrites an error of the parser to start with the line and to be safe for a terminal.
func yamlError(err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 1 // Errors without a line are about the first one.
	if found := yamlLine.FindStringSubmatch(text); found != nil {
		line, _ = strconv.Atoi(found[1])
		text = text[len(found[0]):]
	}
	return fmt.Errorf("line %d: %s", line, strings.Trim(strconv.QuoteToGraphic(text), `"`))
}
