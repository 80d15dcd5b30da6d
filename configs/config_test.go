package configs_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"example.org/c3i/configs"
)

// TestMain takes away what scripts/with-env sets, which would win over the files.
func TestMain(m *testing.M) {
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); strings.HasPrefix(name, configs.EnvPrefix+"_") {
			_ = os.Unsetenv(name)
		}
	}
	os.Exit(m.Run())
}

func write(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "c3i.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func flags(t *testing.T, args ...string) *pflag.FlagSet {
	t.Helper()
	fs := pflag.NewFlagSet("c3i", pflag.ContinueOnError)
	configs.Flags(fs)
	if err := fs.Parse(args); err != nil {
		t.Fatal(err)
	}
	return fs
}

func TestShippedFileStatesTheDefaults(t *testing.T) {
	got, err := configs.Load("c3i.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := configs.Defaults(); !reflect.DeepEqual(got, want) {
		t.Errorf("c3i.yaml gives\n%+v\nthe defaults are\n%+v", got, want)
	}
}

func TestFlagsWinOverEnvironmentOverFile(t *testing.T) {
	file := write(t, "http: {listen: '127.0.0.1:1001'}\nlog: {level: warn}\ntelephony: {drain: 10s}\n")
	t.Setenv("C3I_HTTP_LISTEN", "127.0.0.1:1002")
	t.Setenv("C3I_LOG_LEVEL", "error")
	t.Setenv("C3I_TELEPHONY_NUMBERS", "101,112")
	c, err := configs.Load(file, flags(t, "--http.listen=127.0.0.1:1003"))
	if err != nil {
		t.Fatal(err)
	}
	if c.HTTP.Listen != "127.0.0.1:1003" || c.Log.Level != "error" || c.Telephony.Drain != 10*time.Second {
		t.Errorf("listen %s, level %s, drain %s", c.HTTP.Listen, c.Log.Level, c.Telephony.Drain)
	}
	if !reflect.DeepEqual(c.Telephony.Numbers, []string{"101", "112"}) {
		t.Errorf("numbers = %q", c.Telephony.Numbers)
	}
}

func TestDatesMayBeWrittenWithoutQuotes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "c3i.yaml")
	if err := os.WriteFile(file, []byte("records:\n  holidays: [2030-06-03, \"2030-06-04\"]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := configs.Load(file, nil)
	if err != nil || !reflect.DeepEqual(c.Records.Holidays, []string{"2030-06-03", "2030-06-04"}) {
		t.Errorf("holidays = %q, %v", c.Records.Holidays, err)
	}
}

func TestMistakesAreNamedWithASuggestion(t *testing.T) {
	for name, tc := range map[string]struct {
		file string
		env  [2]string
		want []string
	}{
		"unknown key":             {file: "http: {lisen: x}", want: []string{"c3i.yaml:1:8: http.lisen: unknown key", `did you mean "http.listen"?`}},
		"unknown section":         {file: "asterix: {program: x}", want: []string{"c3i.yaml:1:11: asterix.program: unknown key", `did you mean "asterisk.program"?`}},
		"unknown variable":        {env: [2]string{"C3I_LOG_LEVL", "x"}, want: []string{"C3I_LOG_LEVL sets nothing", `did you mean "C3I_LOG_LEVEL"?`}},
		"malformed YAML":          {file: "log: {level: info}\nhttp: [", want: []string{"c3i.yaml:2:7: this is not YAML"}},
		"a key twice":             {file: "data_dir: /a\ndata_dir: /b", want: []string{"c3i.yaml:2:1: this is not YAML", "data_dir"}},
		"two documents":           {file: "data_dir: /a\n---\ndata_dir: /b", want: []string{"2 YAML documents"}},
		"a list, not settings":    {file: "- a", want: []string{"c3i.yaml:1:1: settings are written as key: value"}},
		"a section's value":       {file: "http: 127.0.0.1:80", want: []string{"c3i.yaml:1:1: http: is a section"}},
		"not a number":            {file: "asterisk:\n  rtp_start: many", want: []string{`c3i.yaml:2:3: asterisk.rtp_start: "many" is not a whole number`}},
		"not a truth":             {file: "desk: {public_calls: perhaps}", want: []string{`desk.public_calls: "perhaps" is not true or false`}},
		"time without a unit":     {file: "telephony: {drain: 30}", want: []string{`c3i.yaml:1:13: telephony.drain: "30" is not a length of time`}},
		"bad variable":            {env: [2]string{"C3I_TELEPHONY_DRAIN", "soon"}, want: []string{`environment: C3I_TELEPHONY_DRAIN: "soon" is not a length of time`}},
		"below a list":            {file: "asterisk:\n  trunks:\n    - name: a\n      match: [127.0.0.1, nowhere]", want: []string{"c3i.yaml:4:26: asterisk.trunks[0].match[1]"}},
		"three at once":           {file: "http: {listen: x}\nlog: {level: x}\nphones: []", want: []string{"c3i.yaml:1:8: http.listen", "c3i.yaml:2:7: log.level", "c3i.yaml:3:1: phones: unknown key"}},
		"bad address":             {file: "http: {listen: nowhere}", want: []string{`http.listen: "nowhere" is not host:port`}},
		"not an address":          {file: "http: {listen: 'desk:80'}", want: []string{`http.listen: "desk" is not an IP address`}},
		"bad duration":            {file: "telephony: {drain: soon}", want: []string{"telephony.drain", "soon"}},
		"zero drain":              {file: "telephony: {drain: 0s}", want: []string{"telephony.drain: must be longer"}},
		"no date":                 {file: "records: {holidays: [2030-06-03, 3 June]}", want: []string{`records.holidays[1]: "3 June" is not a date`}},
		"half a TLS pair":         {file: "http: {tls_cert: a}", want: []string{"http.tls_cert: give both"}},
		"relative data folder":    {file: "data_dir: here", want: []string{`data_dir: "here" must be an absolute path`}},
		"trunk without match":     {file: "asterisk: {trunks: [{name: a}]}", want: []string{"asterisk.trunks[0].match"}},
		"bad network":             {file: "asterisk: {trunks: [{name: a, match: [10.0.0.0/40]}]}", want: []string{"asterisk.trunks[0].match[0]"}},
		"two of a name":           {file: "asterisk: {phones: [{name: a, password: twelve-chars}, {name: a, password: twelve-chars}]}", want: []string{`asterisk.phones[1].name: "a" is used twice`}},
		"weak phone password":     {file: "asterisk: {phones: [{name: a, password: short}]}", want: []string{"asterisk.phones[0].password"}},
		"name with a newline":     {file: "asterisk: {phones: [{name: \"a\\n[evil]\", password: twelve-chars}]}", want: []string{"asterisk.phones[0].name"}},
		"unknown trunk key":       {file: "asterisk: {trunks: [{name: a, match: [127.0.0.1], adress: x}]}", want: []string{"adress"}},
		"remote without ARI":      {file: "asterisk: {url: 'http://10.0.0.5:8088'}", want: []string{"asterisk.ari_password"}},
		"odd number":              {file: "telephony: {numbers: ['101', 'one']}", want: []string{"c3i.yaml:1:30: telephony.numbers[1]: must be digits"}},
		"odd dial strings":        {file: "telephony: {emergency: '999', fallback_group: ['PJSIP/a b']}", want: []string{"telephony.emergency: must be a dial string", "telephony.fallback_group[0]: must be a dial string"}},
		"odd trunk contact":       {file: "asterisk: {trunks: [{name: a, match: [127.0.0.1], contact: here}]}", want: []string{"asterisk.trunks[0].contact: must be a SIP URI"}},
		"odd codec":               {file: "asterisk: {trunks: [{name: a, match: [127.0.0.1], codecs: [alaw, mp3]}]}", want: []string{"asterisk.trunks[0].codecs[1]: must be of alaw"}},
		"no place for a number":   {file: "telephony: {outgoing: PJSIP/999@local}", want: []string{"c3i.yaml:1:13: telephony.outgoing: \"PJSIP/999@local\" must hold %s once"}},
		"two places for a number": {file: "telephony: {outgoing: 'PJSIP/%s@%s'}", want: []string{"telephony.outgoing", "must hold %s once"}},
		"not a way out":           {file: "telephony: {outgoing: '%s'}", want: []string{"telephony.outgoing", "is not a dial string"}},
		"odd way out":             {file: "telephony: {outgoing: 'PJSIP/%s@a b'}", want: []string{"telephony.outgoing: there is no trunk"}},
		"odd channel":             {file: "telephony: {outgoing: 'Local/%s@a b'}", want: []string{"telephony.outgoing: must be a dial string"}},
		"trunk that is not there": {file: "telephony: {outgoing: 'PJSIP/%s@carrier'}", want: []string{"telephony.outgoing: there is no trunk \"carrier\""}},
		"trunk for calls in only": {file: "telephony: {outgoing: 'PJSIP/%s@local'}", want: []string{"telephony.outgoing: the trunk \"local\" has no contact"}},
		"fallback too long":       {file: "telephony: {fallback_retry: 2h}", want: []string{"telephony.fallback_retry: must be between 1s and 1h"}},
		"two at once":             {file: "log: {level: loud, format: xml}", want: []string{"log.level", "log.format"}},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.env[0] != "" {
				t.Setenv(tc.env[0], tc.env[1])
			}
			file := ""
			if tc.file != "" {
				file = write(t, tc.file)
			}
			_, err := configs.Load(file, nil)
			if err == nil {
				t.Fatal("accepted")
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error does not say %q:\n%v", want, err)
				}
			}
		})
	}
}

func TestEveryFlagIsExplained(t *testing.T) {
	fs := flags(t)
	n := 0
	fs.VisitAll(func(f *pflag.Flag) {
		n++
		if f.Usage == "" {
			t.Errorf("flag --%s has no explanation", f.Name)
		}
	})
	if n < 20 {
		t.Errorf("only %d flags", n)
	}
}

func TestCookiesAreSecureBehindATLSProxyToo(t *testing.T) {
	for what, tc := range map[string]struct {
		http configs.HTTP
		want bool
	}{
		"plain":                  {configs.HTTP{}, false},
		"a certificate":          {configs.HTTP{TLSCert: "c.pem"}, true},
		"a proxy over TLS":       {configs.HTTP{Origins: []string{"https://desk.example.org"}}, true},
		"a plain proxy":          {configs.HTTP{Origins: []string{"http://desk.example.org"}}, false},
		"one over TLS, one not":  {configs.HTTP{Origins: []string{"https://desk.example.org", "http://desk.example.org"}}, false},
		"certificate and origin": {configs.HTTP{TLSCert: "c.pem", Origins: []string{"http://desk.example.org"}}, true},
	} {
		if got := tc.http.OverTLS(); got != tc.want {
			t.Errorf("%s: %v", what, got)
		}
	}
}
