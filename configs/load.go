package configs

import (
	"errors"
	"fmt"
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
		HTTP:    HTTP{Listen: "127.0.0.1:8080"},
		Redis:   Redis{Program: "redis-server", Fsync: "everysec"},
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
	walk(reflect.ValueOf(Defaults()), "", func(key string, v reflect.Value) {
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
	"data_dir":                  "folder for everything written to disk",
	"plan":                      "plan file that seeds routing (empty: the one built in)",
	"flow":                      "IVR flow callers meet (empty: the front door built in)",
	"http.listen":               "address of the desk, the public pages and the API",
	"http.tls_cert":             "PEM certificate",
	"http.tls_key":              "PEM key",
	"http.origins":              "further origins pages may come from",
	"redis.program":             "redis-server to start",
	"redis.fsync":               "private Redis: everysec or always",
	"redis.addrs":               "existing Redis: address, cluster nodes, or Sentinels (empty: start a private one)",
	"redis.master":              "master name when redis.addrs are Sentinels",
	"redis.username":            "Redis user",
	"redis.password":            "Redis password",
	"redis.tls":                 "use TLS to Redis",
	"redis.db":                  "Redis database number",
	"asterisk.program":          "asterisk to start",
	"asterisk.user":             "user the private Asterisk runs as when c3i runs as root",
	"asterisk.url":              "existing Asterisk's HTTP server (empty: start a private one)",
	"asterisk.app":              "name of the Stasis application",
	"asterisk.ari_user":         "ARI user",
	"asterisk.ari_password":     "ARI password (private Asterisk: made up when empty)",
	"asterisk.http_listen":      "where the private Asterisk serves ARI",
	"asterisk.sip_listen":       "where trunks and SIP phones reach the private Asterisk",
	"asterisk.rtp_start":        "first media port",
	"asterisk.rtp_end":          "last media port",
	"asterisk.external_address": "address told to SIP peers outside local_nets",
	"asterisk.local_nets":       "networks reached without NAT",
	"telephony.numbers":         "service numbers that reach the front door",
	"telephony.emergency":       "dial string of the emergency control room (key 9)",
	"telephony.fallback_retry":  "how long the dialplan retries when C3i is away",
	"telephony.fallback_group":  "dial strings rung together after that",
	"telephony.region":          "region national numbers are read in",
	"telephony.drain":           "how long a stopping process waits for live calls",
	"prompts.dir":               "folder of prompt files and recordings (empty: built in)",
	"prompts.espeak":            "espeak-ng program",
	"desk.session_idle":         "sign-on ends after this long unused",
	"desk.session_max":          "sign-on ends after this long in any case",
	"desk.public_calls":         "serve the public call page",
	"desk.public_call_limit":    "public calls at one time",
	"log.level":                 "debug, info, warn or error",
	"log.format":                "console or json",
}

// Load reads the settings: defaults, then the file (empty name: none), then the
// environment, then flags that were set. Unknown keys in the file and unknown
// C3I_ variables are errors that suggest the nearest key; every problem is
// reported, joined.
func Load(file string, fs *pflag.FlagSet) (Config, error) {
	v := viper.New()
	v.SetConfigType("yaml")
	keys := map[string]reflect.Value{}
	walk(reflect.ValueOf(Defaults()), "", func(key string, val reflect.Value) {
		keys[key] = val
		if val.Kind() == reflect.Slice && val.Type().Elem().Kind() == reflect.Struct {
			return // set by the file only, else viper would merge lists element by element
		}
		v.SetDefault(key, val.Interface())
	})
	v.SetEnvPrefix(EnvPrefix)
	v.SetEnvKeyReplacer(strings.NewReplacer(".", "_"))
	v.AutomaticEnv()
	var problems []error
	if file != "" {
		v.SetConfigFile(file)
		if err := v.ReadInConfig(); err != nil {
			return Config{}, fmt.Errorf("%s: %w", file, err)
		}
		for _, key := range v.AllKeys() {
			if v.InConfig(key) && !known(keys, key) {
				problems = append(problems, fmt.Errorf("%s: unknown key %q%s", file, key, suggest(key, keys)))
			}
		}
	}
	problems = append(problems, unknownEnv(keys, os.Environ())...)
	if fs != nil {
		for key := range keys {
			if f := fs.Lookup(key); f != nil && f.Changed {
				if err := v.BindPFlag(key, f); err != nil {
					return Config{}, fmt.Errorf("flag --%s: %w", key, err)
				}
			}
		}
	}
	c := Config{}
	hook := mapstructure.ComposeDecodeHookFunc(toDuration, mapstructure.StringToSliceHookFunc(","))
	exact := func(dc *mapstructure.DecoderConfig) { dc.ErrorUnused = len(problems) == 0 }
	if err := v.Unmarshal(&c, viper.DecodeHook(hook), exact); err != nil {
		return Config{}, errors.Join(append(problems, fmt.Errorf("settings: %w", err))...)
	}
	d := Defaults()
	if !v.IsSet("asterisk.trunks") {
		c.Asterisk.Trunks = d.Asterisk.Trunks
	}
	for _, f := range c.Validate() {
		problems = append(problems, f)
	}
	return c, errors.Join(problems...)
}

func toDuration(from, to reflect.Type, data any) (any, error) {
	text, ok := data.(string)
	if to != reflect.TypeFor[time.Duration]() || !ok {
		return data, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return nil, fmt.Errorf("%q is not a length of time such as 30s", text)
	}
	return d, nil
}

// notSettings are C3I_ variables that set-up and tests use for programs of their
// own; they are no keys, and no mistake either.
var notSettings = []string{"C3I_CACHE", "C3I_CHROMIUM", "C3I_SIPP", "C3I_CONFIG"}

func unknownEnv(keys map[string]reflect.Value, environ []string) []error {
	var problems []error
	byEnv := map[string]reflect.Value{}
	for key, v := range keys {
		byEnv[EnvPrefix+"_"+strings.ToUpper(strings.ReplaceAll(key, ".", "_"))] = v
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

func known(keys map[string]reflect.Value, key string) bool {
	_, ok := keys[key]
	return ok
}

func suggest(key string, keys map[string]reflect.Value) string {
	best, bestDistance := "", len(key)/2+1
	for k := range keys {
		if d := distance(key, k); d < bestDistance || d == bestDistance && best != "" && k < best {
			best, bestDistance = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(": did you mean %q?", best)
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
