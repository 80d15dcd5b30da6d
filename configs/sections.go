package configs

import (
	"reflect"
	"strings"
)

// Section is a group of settings.
type Section struct {
	// Name is the part of a key before its dot; empty for keys without one.
	Name  string
	Title string
}

// Sections lists the groups of settings in the order of the configuration.
func Sections() []Section {
	return []Section{
		{"", "What is run, and where it is kept"},
		{"http", "Desk, public pages and API"},
		{"redis", "Redis"},
		{"asterisk", "Asterisk"},
		{"telephony", "Calls"},
		{"prompts", "Prompts"},
		{"desk", "Desks and public calls"},
		{"mail", "E-mail"},
		{"web", "Public reports"},
		{"records", "People and reports"},
		{"log", "Log"},
	}
}

// Key is one setting.
type Key struct {
	// Name is its full name, such as http.listen.
	Name string
	// Usage says in a few words what it is.
	Usage string
	// Default is what holds when nothing is said.
	Default any
}

// Section is the name of the key's section.
func (k Key) Section() string {
	if section, _, ok := strings.Cut(k.Name, "."); ok {
		return section
	}
	return ""
}

// Env is the environment variable that sets the key.
func (k Key) Env() string { return envName(k.Name) }

// Keys lists every setting in the order of the configuration.
func Keys() []Key {
	var all []Key
	d := Defaults()
	walk(reflect.ValueOf(&d).Elem(), "", func(key string, v reflect.Value) {
		all = append(all, Key{Name: key, Usage: usage[key], Default: v.Interface()})
	})
	return all
}
