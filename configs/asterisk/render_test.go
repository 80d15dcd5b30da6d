package asterisk_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.org/c3i/configs/asterisk"
)

// valid is a configuration that uses every field a template reads.
func valid(dir string) asterisk.Settings {
	return asterisk.Settings{
		Dir:             dir,
		SystemName:      "site1",
		HTTPPort:        8088,
		ARIPassword:     "s3cret=#[]\"'%",
		SIPPort:         5060,
		ExternalAddress: "203.0.113.7",
		LocalNets:       []string{"10.0.0.0/8"},
		Numbers:         []string{"101", "s", "+442079460101"},
		Trunks: []asterisk.Trunk{
			{Name: "exchange", Match: []string{"192.0.2.0/24", "192.0.2.9"}, Contact: "sip:192.0.2.10:5060;transport=tcp", QualifySeconds: 30, Codecs: []string{"ulaw"}},
			{Name: "inbound", Match: []string{"2001:db8::/32"}},
		},
		Phones: []asterisk.Phone{
			{Name: "desk1", Password: "hunter2"},
			{Name: "desk2", Contact: "sip:desk2@192.0.2.20:5060"},
		},
		Emergency: asterisk.Emergency{Destination: "PJSIP/999@exchange", Message: "/srv/prompts/en/dial-999"},
		Fallback: asterisk.Fallback{
			RingGroup: []string{"PJSIP/desk1", "PJSIP/desk2"}, Announcement: "/srv/c3i prompts/back-soon",
		},
		Queues:     []asterisk.Queue{{Name: "bench", Members: []string{"PJSIP/desk1"}}},
		Extensions: []asterisk.Extension{{Number: "7001", Queue: "bench"}, {Number: "7002", App: "bare"}},
	}
}

func render(t *testing.T, s asterisk.Settings) map[string]string {
	t.Helper()
	etc := filepath.Join(t.TempDir(), "etc")
	if err := asterisk.Render(etc, s); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(etc)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(etc, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = string(data)
	}
	return files
}

func TestRenderSaysWhatTheSettingsSay(t *testing.T) {
	files := render(t, valid("/srv/c3i"))
	for _, c := range []struct{ file, want string }{
		{"asterisk.conf", "\nastetcdir => /srv/c3i/etc\n"},
		{"asterisk.conf", "\nsystemname = site1\n"},
		{"http.conf", "\nbindaddr = 127.0.0.1\nbindport = 8088\n"},
		{"ari.conf", "\n[c3i]\ntype = user\n"},
		{"ari.conf", "\npassword = s3cret=#[]\"'%\n"},
		{"ari.conf", "\nwebsocket_write_timeout = 5000\n"},
		{"pjsip.conf", "\nbind = 127.0.0.1:5060\n"},
		{"pjsip.conf", "\nexternal_media_address = 203.0.113.7\n"},
		{"pjsip.conf", "\nlocal_net = 10.0.0.0/8\n"},
		{"pjsip.conf", "\ncontact = sip:192.0.2.10:5060\\;transport=tcp\n"},
		{"pjsip.conf", "\nmatch = 192.0.2.0/24\nmatch = 192.0.2.9\n"},
		{"pjsip.conf", "\nusername = desk1\npassword = hunter2\n"},
		{"pjsip.conf", "\ncontact = sip:desk2@192.0.2.20:5060\n"},
		{"extensions.conf", "\nexten => +442079460101,1,Set(C3I_DIALLED=+442079460101)\n same => n,Goto(c3i-front-door,s,1)\n"},
		{"extensions.conf", "\nexten => 7002,1,Stasis(bare,inbound)\n"},
		{"extensions.conf", "\nexten => 999,1,Dial(PJSIP/999@exchange,120,r)\n"},
		{"extensions.conf", "Dial(PJSIP/desk1&PJSIP/desk2,60,m(default))"},
		{"extensions.conf", "Gosub(c3i-say,s,1(/srv/c3i prompts/back-soon))"},
		{"queues.conf", "\n[bench]\nstrategy = leastrecent\ntimeout = 15\nretry = 1\nwrapuptime = 0\n"},
		{"rtp.conf", "\nrtpstart = 16384\nrtpend = 32766\n"},
	} {
		if !strings.Contains(files[c.file], c.want) {
			t.Errorf("%s lacks %q:\n%s", c.file, c.want, files[c.file])
		}
	}
}

func TestRenderKeepsSecretsFromOthers(t *testing.T) {
	etc := filepath.Join(t.TempDir(), "etc")
	if err := asterisk.Render(etc, valid("/srv/c3i")); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(etc, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o027 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRenderReplacesAndLeavesNothingBehind(t *testing.T) {
	etc := filepath.Join(t.TempDir(), "etc")
	s := valid("/srv/c3i")
	if err := asterisk.Render(etc, s); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadDir(etc)
	if err != nil {
		t.Fatal(err)
	}
	s.HTTPPort = 9099
	if err := asterisk.Render(etc, s); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadDir(etc)
	if err != nil {
		t.Fatal(err)
	}
	if len(before) != len(after) {
		t.Errorf("%d files became %d", len(before), len(after))
	}
	data, err := os.ReadFile(filepath.Join(etc, "http.conf"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(data), "bindport = 9099\n") {
		t.Errorf("http.conf was not replaced:\n%s", data)
	}
}

// Each value here would change the meaning of a file if it were written as it stands.
func TestHostileValuesAreRefusedByField(t *testing.T) {
	for _, c := range []struct {
		field  string
		change func(*asterisk.Settings)
	}{
		{"ARIPassword", func(s *asterisk.Settings) { s.ARIPassword = "" }},
		{"ARIPassword", func(s *asterisk.Settings) { s.ARIPassword = "a\npermit = 0.0.0.0/0" }},
		{"ARIPassword", func(s *asterisk.Settings) { s.ARIPassword = "half;comment" }},
		{"ARIPassword", func(s *asterisk.Settings) { s.ARIPassword = " padded" }},
		{"ARIPassword", func(s *asterisk.Settings) { s.ARIPassword = ">x" }},
		{"ARIPassword", func(s *asterisk.Settings) { s.ARIPassword = "nul\x00" }},
		{"ARIPassword", func(s *asterisk.Settings) { s.ARIPassword = "paß" }},
		{"ARIPassword", func(s *asterisk.Settings) { s.ARIPassword = strings.Repeat("x", 129) }},
		{"ARIUser", func(s *asterisk.Settings) { s.ARIUser = "x]\n[y" }},
		{"ARIUser", func(s *asterisk.Settings) { s.ARIUser = "general" }},
		{"App", func(s *asterisk.Settings) { s.App = "c3i,evil" }},
		{"Realm", func(s *asterisk.Settings) { s.Realm = "a b" }},
		{"SystemName", func(s *asterisk.Settings) { s.SystemName = "a\tb" }},
		{"RunUser", func(s *asterisk.Settings) { s.RunUser = "root" }},
		{"HTTPBind", func(s *asterisk.Settings) { s.HTTPBind = "localhost" }},
		{"HTTPPort", func(s *asterisk.Settings) { s.HTTPPort = 70000 }},
		{"SIPBind", func(s *asterisk.Settings) { s.SIPBind = "127.0.0.1\n" }},
		{"SIPPort", func(s *asterisk.Settings) { s.SIPPort = -1 }},
		{"RTPEnd", func(s *asterisk.Settings) { s.RTPStart, s.RTPEnd = 20000, 20000 }},
		{"ExternalAddress", func(s *asterisk.Settings) { s.ExternalAddress = "example.org;" }},
		{"LocalNets[0]", func(s *asterisk.Settings) { s.LocalNets = []string{"10.0.0.0/99"} }},
		{"Numbers[1]", func(s *asterisk.Settings) { s.Numbers = []string{"101", "_X."} }},
		{"Dirs.Etc", func(s *asterisk.Settings) { s.Dirs.Etc = "relative" }},
		{"Dirs.Log", func(s *asterisk.Settings) { s.Dirs.Log = "/srv/a;b" }},
		{"Dirs.Data", func(s *asterisk.Settings) { s.Dirs.Data = "/srv/a\nb" }},
		{"MusicDir", func(s *asterisk.Settings) { s.MusicDir = "/srv/ " }},
		{"MusicClass", func(s *asterisk.Settings) { s.MusicClass = "general" }},
		{"Trunks[0].Name", func(s *asterisk.Settings) { s.Trunks[0].Name = "x](line)" }},
		{"Trunks[1].Name", func(s *asterisk.Settings) { s.Trunks[1].Name = "exchange" }},
		{"Trunks[0].Match[1]", func(s *asterisk.Settings) { s.Trunks[0].Match[1] = "everywhere" }},
		{"Trunks[0].Contact", func(s *asterisk.Settings) { s.Trunks[0].Contact = "sip:a@b\nauth = x" }},
		{"Trunks[0].Codecs[0]", func(s *asterisk.Settings) { s.Trunks[0].Codecs = []string{"all"} }},
		{"Trunks[1]", func(s *asterisk.Settings) { s.Trunks[1].Match = nil }},
		{"Phones[0].Name", func(s *asterisk.Settings) { s.Phones[0].Name = "transport-udp" }},
		{"Phones[0].Name", func(s *asterisk.Settings) { s.Phones[0].Name = "exchange" }},
		{"Phones[0].Password", func(s *asterisk.Settings) { s.Phones[0].Password = "" }},
		{"Phones[0].Password", func(s *asterisk.Settings) { s.Phones[0].Password = "a\\;b" }},
		{"Phones[1].Contact", func(s *asterisk.Settings) { s.Phones[1].Contact = "tel:101" }},
		{"Emergency.Destination", func(s *asterisk.Settings) { s.Emergency.Destination = "PJSIP/999@x,60,G(evil)" }},
		{"Emergency.Destination", func(s *asterisk.Settings) { s.Emergency.Destination = "PJSIP/${SHELL(id)}" }},
		{"Emergency.Message", func(s *asterisk.Settings) { s.Emergency.Message = "a)\nexten => s,1,System(id" }},
		{"Fallback.Announcement", func(s *asterisk.Settings) { s.Fallback.Announcement = "a,b" }},
		{"Fallback.Apology", func(s *asterisk.Settings) { s.Fallback.Apology = "a&" }},
		{"Fallback.RingGroup[1]", func(s *asterisk.Settings) { s.Fallback.RingGroup[1] = "PJSIP/a&PJSIP/b" }},
		{"Fallback.RetrySeconds", func(s *asterisk.Settings) { s.Fallback.RetrySeconds = -1 }},
		{"Queues[0].Name", func(s *asterisk.Settings) { s.Queues[0].Name = "general" }},
		{"Queues[0].Strategy", func(s *asterisk.Settings) { s.Queues[0].Strategy = "best" }},
		{"Queues[0].Members[0]", func(s *asterisk.Settings) { s.Queues[0].Members[0] = "PJSIP/a,0" }},
		{"Extensions[0].Number", func(s *asterisk.Settings) { s.Extensions[0].Number = "101" }},
		{"Extensions[0].Queue", func(s *asterisk.Settings) { s.Extensions[0].Queue = "other" }},
		{"Extensions[1].App", func(s *asterisk.Settings) { s.Extensions[1].App = "" }},
		{"Extensions[1]", func(s *asterisk.Settings) { s.Extensions[1].Queue = "bench" }},
	} {
		t.Run(c.field, func(t *testing.T) {
			s := valid("/srv/c3i")
			c.change(&s)
			etc := filepath.Join(t.TempDir(), "etc")
			err := asterisk.Render(etc, s)
			var invalid *asterisk.InvalidError
			if !errors.As(err, &invalid) {
				t.Fatalf("got %v, want an InvalidError", err)
			}
			if invalid.Field != c.field {
				t.Errorf("named %s, want %s (%v)", invalid.Field, c.field, err)
			}
			if _, err := os.Stat(etc); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("something was written: %v", err)
			}
		})
	}
}

func TestInvalidErrorNeverRepeatsASecret(t *testing.T) {
	s := valid("/srv/c3i")
	s.ARIPassword = "correct horse"
	err := asterisk.Render(filepath.Join(t.TempDir(), "etc"), s)
	if err == nil || strings.Contains(err.Error(), "horse") {
		t.Errorf("got %v", err)
	}
}
