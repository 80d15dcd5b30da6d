package configs

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"
	"github.com/spf13/pflag"
	"github.com/spf13/viper"
)

// EnvPrefix begins every environment variable that sets a key.
const EnvPrefix = "C3I"

// Defaults are the settings of a process that was told nothing.
func Defaults() Config {
	return Config{
		DataDir: defaultDataDir(),
		HTTP: HTTP{
			Listen: "127.0.0.1:8080", Connections: 10_000, ConnectionsPerAddress: 200, Stall: 30 * time.Second, UploadMax: time.Hour,
		},
		Redis: Redis{Program: "redis-server", Fsync: "everysec"},
		Asterisk: Asterisk{
			Program: "asterisk", User: "c3i-asterisk", App: "c3i", ARIUser: "c3i",
			HTTPListen: "127.0.0.1:8088", SIPListen: "127.0.0.1:5060",
			RTPStart: 10000, RTPEnd: 10999,
			Trunks: []Trunk{{Name: "local", Match: []string{"127.0.0.1"}, Codecs: []string{"ulaw", "alaw"}}},
		},
		Telephony: Telephony{
			Numbers: []string{"101"}, FallbackRetry: 30 * time.Second, Region: "GB", Drain: 30 * time.Second,
		},
		Prompts: Prompts{Espeak: "espeak-ng"},
		Desk: Desk{
			SessionIdle: 30 * time.Minute, SessionMax: 12 * time.Hour,
			PublicCalls: true, PublicCallLimit: 20,
		},
		Mail: defaultMail(),
		Web: Web{
			Reports: true, Service: "C3i", Language: "en", Exit: "https://www.bbc.co.uk/weather",
			SessionLife: 2 * time.Hour, DraftLife: 7 * 24 * time.Hour, FileMB: 25, Files: 10, Busy: 60, Zone: "Europe/London",
		},
		Log: Log{Level: "info", Format: "console"},
	}
}

func defaultDataDir() string {
	if os.Geteuid() == 0 {
		return "/var/lib/c3i"
	}
	if x := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(x) {
		return filepath.Join(x, "c3i")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "/var/lib/c3i"
	}
	return filepath.Join(home, ".local", "share", "c3i")
}

// Flags defines a flag for every key that holds a single value or a list of
// words. Lists of tables (trunks, phones) are for the file.
func Flags(fs *pflag.FlagSet) {
	d := Defaults()
	walk(reflect.ValueOf(&d).Elem(), "", func(key string, v reflect.Value) {
		switch x := v.Interface().(type) {
		case string:
			fs.String(key, x, usage[key])
		case int:
			fs.Int(key, x, usage[key])
		case bool:
			fs.Bool(key, x, usage[key])
		case time.Duration:
			fs.Duration(key, x, usage[key])
		case []string:
			fs.StringSlice(key, x, usage[key])
		}
	})
}

var usage = map[string]string{
	"data_dir":                     "folder for everything written to disk",
	"plan":                         "plan file that seeds routing (empty: the one built in)",
	"flow":                         "IVR flow callers meet (empty: the front door built in)",
	"http.listen":                  "address of the desk, the public pages and the API",
	"http.tls_cert":                "PEM certificate",
	"http.tls_key":                 "PEM key",
	"http.origins":                 "further origins pages may come from",
	"http.connections":             "connections at one time",
	"http.connections_per_address": "connections of one address, or IPv6 /64, at one time",
	"http.stall":                   "how long a client may send or take nothing, and a form may take",
	"http.upload_max":              "how long files may take to come in",
	"redis.program":                "redis-server to start",
	"redis.fsync":                  "private Redis: everysec or always",
	"redis.addrs":                  "existing Redis: address, cluster nodes, or Sentinels (empty: start a private one)",
	"redis.master":                 "master name when redis.addrs are Sentinels",
	"redis.username":               "Redis user",
	"redis.password":               "Redis password",
	"redis.tls":                    "speak TLS with Redis",
	"redis.db":                     "Redis database number",
	"asterisk.program":             "asterisk to start",
	"asterisk.user":                "user the private Asterisk runs as when c3i runs as root",
	"asterisk.url":                 "existing Asterisk's HTTP server (empty: start a private one)",
	"asterisk.app":                 "name of the Stasis application",
	"asterisk.ari_user":            "ARI user",
	"asterisk.ari_password":        "ARI password (private Asterisk: made up when empty)",
	"asterisk.http_listen":         "where the private Asterisk serves ARI",
	"asterisk.sip_listen":          "where trunks and SIP phones reach the private Asterisk",
	"asterisk.rtp_start":           "first media port",
	"asterisk.rtp_end":             "last media port",
	"asterisk.external_address":    "address told to SIP peers outside local_nets",
	"asterisk.local_nets":          "networks reached without NAT",
	"asterisk.trunks":              "carriers and exchanges calls come from (file only)",
	"asterisk.phones":              "handlers' own SIP phones (file only)",
	"telephony.numbers":            "service numbers that reach the front door",
	"telephony.emergency":          "dial string of the emergency control room (key 9)",
	"telephony.outgoing":           "dial string callers are rung back by, %s for the number (empty: nobody is)",
	"telephony.fallback_retry":     "how long the dialplan retries when C3i is away",
	"telephony.fallback_group":     "dial strings rung together after that",
	"telephony.region":             "region national numbers are read in",
	"telephony.drain":              "how long a stopping process waits for live calls",
	"prompts.dir":                  "folder of prompt files and recordings (empty: built in)",
	"prompts.espeak":               "espeak-ng program",
	"desk.session_idle":            "sign-on ends after this long unused",
	"desk.session_max":             "sign-on ends after this long in any case",
	"desk.public_calls":            "serve the public call page",
	"desk.public_call_limit":       "public calls at one time",
	"desk.answers":                 "folder of prepared answers, LANGUAGE.yaml (empty: built in)",
	"mail.domain":                  "our name to other mail servers",
	"mail.smtp_listen":             "where mail is taken over SMTP (empty: nowhere)",
	"mail.lmtp_listen":             "where a mail server hands over by LMTP (empty: nowhere)",
	"mail.tls_cert":                "PEM certificate for STARTTLS",
	"mail.tls_key":                 "PEM key for STARTTLS",
	"mail.max_mb":                  "largest message, in megabytes",
	"mail.connections":             "SMTP connections at one time",
	"mail.messages_per_minute":     "messages one address may send in a minute",
	"mail.mailboxes":               "addresses of ours (file only)",
	"mail.imap":                    "existing mailboxes that are read (file only)",
	"mail.routes":                  "mail servers that take what is sent (file only; none: a local folder)",
	"mail.templates":               "folder of wordings (empty: built in)",
	"mail.plus_addresses":          "have answers come to name+reference@",
	"mail.clamd":                   "clamd that scans attachments, host:port or socket (empty: none)",
	"mail.check_senders":           "look up SPF, DKIM and DMARC",
	"mail.trusted_results":         "servers whose Authentication-Results are believed",
	"web.reports":                  "serve the report form, the tracking page and the partners' API",
	"web.service":                  "the police service's name in titles and e-mails",
	"web.language":                 "language for browsers that ask for none there is",
	"web.texts":                    "folder with web/form.yaml and web/LANGUAGE.yaml (empty: built in)",
	"web.exit":                     "where \"exit this page\" leads",
	"web.session_life":             "an unsent report is deleted after this long unused",
	"web.draft_life":               "the same, when the reporter asked to keep it",
	"web.file_mb":                  "largest file, in MB",
	"web.files":                    "most files of a report",
	"web.busy":                     "reports a minute that make browsers prove an effort",
	"web.zone":                     "time zone that people mean",
	"web.proxies":                  "addresses or networks whose X-Forwarded-For is believed",
	"web.partners":                 "programs that may use the API (file only)",
	"records.holidays":             "bank holidays proclaimed for one year, YYYY-MM-DD",
	"records.moved_holidays":       "bank holidays moved away from their day, YYYY-MM-DD",
	"log.level":                    "debug, info, warn or error",
	"log.format":                   "console or json",
}

// Load reads the settings: defaults, then the file (empty name: none), then the
// environment, then flags that were set. Unknown keys in the file and unknown
// C3I_ variables are errors that suggest the nearest key. Every problem is
// reported, joined; those of the file begin with file:line:column. What could be
// read is returned beside the error.
func Load(file string, fs *pflag.FlagSet) (Config, error) {
	c := Defaults()
	v := viper.New()
	v.SetConfigType("yaml")
	keys := map[string]reflect.Value{}
	walk(reflect.ValueOf(&c).Elem(), "", func(key string, val reflect.Value) { keys[key] = val })
	v.SetEnvPrefix(EnvPrefix)
	v.SetEnvKeyReplacer(strings.NewReplacer(".", "_"))
	v.AutomaticEnv()
	var at places
	var problems []error
	if file != "" {
		var bad []error
		if at, bad = readFile(v, file, keys); len(bad) > 0 {
			problems = append(problems, bad...)
		}
	}
	problems = append(problems, unknownEnv(keys, os.Environ())...)
	flagged := map[string]bool{}
	if fs != nil {
		for key := range keys {
			if f := fs.Lookup(key); f != nil && f.Changed {
				if err := v.BindPFlag(key, f); err != nil {
					return c, fmt.Errorf("flag --%s: %w", key, err)
				}
				flagged[key] = true
			}
		}
	}
	// locate says where a setting that cannot be used was given.
	locate := func(f FieldError) error {
		key, _, _ := strings.Cut(f.Key, "[")
		switch {
		case flagged[key]:
			return fmt.Errorf("--%w", f)
		case os.Getenv(envName(key)) != "":
			return fmt.Errorf("environment: %s: %s", envName(key), f.Message)
		}
		return at.locate(f)
	}
	unread := map[string]bool{}
	walk(reflect.ValueOf(&c).Elem(), "", func(key string, val reflect.Value) {
		raw := v.Get(key)
		if raw == nil {
			return
		}
		for _, f := range decode(key, raw, val) {
			unread[key] = true
			problems = append(problems, locate(f))
		}
	})
	for _, f := range c.Validate() {
		if key, _, _ := strings.Cut(f.Key, "["); !unread[key] {
			problems = append(problems, locate(f))
		}
	}
	return c, errors.Join(problems...)
}

func envName(key string) string {
	return EnvPrefix + "_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// decode puts a value from file, environment or flag into a setting.
func decode(key string, raw any, into reflect.Value) []FieldError {
	fresh := reflect.New(into.Type()) // a list replaces the default, and does not extend it
	d, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
		Result: fresh.Interface(), WeaklyTypedInput: true, ErrorUnused: true,
		DecodeHook: mapstructure.ComposeDecodeHookFunc(toDuration, dateAsWritten, mapstructure.StringToSliceHookFunc(",")),
	})
	if err != nil {
		return []FieldError{{key, err.Error()}}
	}
	if err := d.Decode(raw); err != nil {
		if bad := unknownFields(key, raw, into.Type()); len(bad) > 0 {
			return bad
		}
		return []FieldError{{key, fmt.Sprintf("%q is not %s", fmt.Sprint(raw), wanted(into.Type()))}}
	}
	into.Set(fresh.Elem())
	return nil
}

// unknownFields finds keys that the tables of a list do not have.
func unknownFields(key string, raw any, t reflect.Type) []FieldError {
	list, ok := raw.([]any)
	if !ok || t.Kind() != reflect.Slice || t.Elem().Kind() != reflect.Struct {
		return nil
	}
	known := map[string]reflect.Value{}
	walk(reflect.Zero(t.Elem()), "", func(name string, v reflect.Value) { known[name] = v })
	var bad []FieldError
	for i, item := range list {
		table, ok := item.(map[string]any)
		if !ok {
			continue
		}
		names := slices.Sorted(maps.Keys(table))
		for _, name := range names {
			if _, ok := known[strings.ToLower(name)]; !ok {
				bad = append(bad, FieldError{fmt.Sprintf("%s[%d].%s", key, i, name), "unknown key" + suggest(name, known)})
			}
		}
	}
	return bad
}

// wanted says in words what a setting takes.
func wanted(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return "a length of time such as 30s"
	case t.Kind() == reflect.Int:
		return "a whole number"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		return "a list of tables such as [{name: a}]"
	case t.Kind() == reflect.Slice:
		return "a list of words such as [a, b]"
	}
	return "a word"
}

// dateAsWritten undoes that YAML reads 2030-06-03 as a moment.
func dateAsWritten(from, to reflect.Type, data any) (any, error) {
	if at, is := data.(time.Time); is && to.Kind() == reflect.String {
		return at.Format(time.DateOnly), nil
	}
	return data, nil
}

func toDuration(from, to reflect.Type, data any) (any, error) {
	if to != reflect.TypeFor[time.Duration]() || from == to {
		return data, nil
	}
	// A bare number has no unit; only 0 needs none.
	return time.ParseDuration(fmt.Sprint(data))
}

// notSettings are C3I_ variables that set-up and tests use for programs of their
// own; they are no keys, and no mistake either.
var notSettings = []string{"C3I_CACHE", "C3I_CHROMIUM", "C3I_SIPP", "C3I_CONFIG"}

func unknownEnv(keys map[string]reflect.Value, environ []string) []error {
	var problems []error
	byEnv := map[string]reflect.Value{}
	for key, v := range keys {
		byEnv[envName(key)] = v
	}
	for _, kv := range environ {
		name, _, _ := strings.Cut(kv, "=")
		if !strings.HasPrefix(name, EnvPrefix+"_") || slices.Contains(notSettings, name) || strings.HasPrefix(name, "C3I_TEST_") {
			continue
		}
		if _, ok := byEnv[name]; !ok {
			problems = append(problems, fmt.Errorf("environment: %s sets nothing%s", name, suggest(name, byEnv)))
		}
	}
	slices.SortFunc(problems, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return problems
}

func suggest(key string, keys map[string]reflect.Value) string {
	if best := Nearest(key, maps.Keys(keys)); best != "" {
		return fmt.Sprintf(": did you mean %q?", best)
	}
	return ""
}

// Nearest is the name of names that was probably meant by a mistyped one, empty
// when none is near. Of two as near the first in the alphabet is taken.
func Nearest(typed string, names iter.Seq[string]) string {
	best, bestDistance := "", len(typed)/2+1
	for k := range names {
		if d := distance(typed, k); d < bestDistance || d == bestDistance && best != "" && k < best {
			best, bestDistance = k, d
		}
	}
	return best
}

// distance is the Levenshtein distance in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			diagonal, row[j] = row[j], min(row[j]+1, row[j-1]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}

// walk visits every key of the configuration in order.
func walk(v reflect.Value, prefix string, visit func(key string, v reflect.Value)) {
	for i := range v.NumField() {
		key := prefix + v.Type().Field(i).Tag.Get("mapstructure")
		if f := v.Field(i); f.Kind() == reflect.Struct {
			walk(f, key+".", visit)
		} else {
			visit(key, f)
		}
	}
}
