package asterisk_test

import (
	"context"
	"os"
	"testing"
	"time"

	"example.org/c3i/configs/asterisk"
)

func TestTry(t *testing.T) {
	program, err := asterisk.FindProgram()
	if err != nil {
		t.Fatal(err)
	}
	dir, _ := os.MkdirTemp("", "c3iast")
	os.Chmod(dir, 0o755)
	start := time.Now()
	p, err := asterisk.Start(t.Context(), program, asterisk.Settings{Dir: dir, ARIPassword: "secret",
		Trunks: []asterisk.Trunk{{Name: "loop", Match: []string{"127.0.0.1"}}},
		Phones: []asterisk.Phone{{Name: "desk1", Password: "x"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(time.Since(start), p.URL(), p.Version(), dir)
	data, _ := os.ReadFile(p.LogPath())
	t.Log(string(data))
	if os.Getenv("HOLD") != "" {
		<-p.Done()
	}
	start = time.Now()
	t.Log(p.Stop(context.Background()), p.Err(), time.Since(start))
}
