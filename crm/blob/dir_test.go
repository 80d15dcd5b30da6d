package blob_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"go.uber.org/goleak"

	"example.org/c3i/contact/importrule"
	"example.org/c3i/crm/blob"
)

// onSmallDisk names the folder on a small file system that this test program was
// started again in a name space of its own to fill.
const onSmallDisk = "C3I_TEST_SMALL_DISK"

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestImports(t *testing.T) {
	importrule.Check(t, importrule.Rule{AllowOurs: []string{"contact"}})
}

func open(t *testing.T, folder string, o blob.Options) *blob.Dir {
	t.Helper()
	if o.Floor == 0 {
		o.Floor = 1
	}
	d, err := blob.OpenDir(folder, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func put(t *testing.T, d *blob.Dir, text string) blob.Ref {
	t.Helper()
	ref, n, err := d.Put(t.Context(), strings.NewReader(text), 1<<20)
	if err != nil || n != int64(len(text)) {
		t.Fatalf("Put = %d, %v", n, err)
	}
	return ref
}

func read(t *testing.T, d *blob.Dir, ref blob.Ref) string {
	t.Helper()
	r, err := d.Open(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// files lists every file below a folder.
func files(t *testing.T, folder string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(folder, func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			rel, _ := filepath.Rel(folder, name)
			out = append(out, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestABlobIsNamedByWhatItHoldsAndKeptForItsOwnerAlone(t *testing.T) {
	folder := t.TempDir()
	d := open(t, folder, blob.Options{})
	ref := put(t, d, "hello")
	sum := sha256.Sum256([]byte("hello"))
	if want := hex.EncodeToString(sum[:]); string(ref) != want {
		t.Errorf("ref %s, want %s", ref, want)
	}
	if again := put(t, d, "hello"); again != ref {
		t.Errorf("the same bytes again: %s", again)
	}
	if got := files(t, folder); len(got) != 1 || got[0] != filepath.Join(string(ref[:2]), string(ref[2:4]), string(ref)) {
		t.Errorf("files = %v", got)
	}
	st, err := os.Stat(filepath.Join(folder, string(ref[:2]), string(ref[2:4]), string(ref)))
	if err != nil || st.Mode() != 0o600 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
	if got := read(t, open(t, folder, blob.Options{Verify: true}), ref); got != "hello" {
		t.Errorf("read %q", got)
	}
	if ref := put(t, d, ""); read(t, d, ref) != "" {
		t.Error("an empty blob came back with something in it")
	}
}

func TestTooMuchIsRefusedAndLeavesNothing(t *testing.T) {
	folder := t.TempDir()
	d := open(t, folder, blob.Options{})
	for size, ok := range map[int]bool{99: true, 100: true, 101: false, 20 << 20: false} {
		_, _, err := d.Put(t.Context(), bytes.NewReader(make([]byte, size)), 100)
		if ok != (err == nil) || !ok && !errors.Is(err, blob.ErrTooLarge) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
	if got := files(t, folder); len(got) != 2 {
		t.Errorf("files = %v, want the two that fitted", got)
	}
}

func TestAReaderThatFailsLeavesNothing(t *testing.T) {
	folder := t.TempDir()
	d := open(t, folder, blob.Options{})
	broken := errors.New("connection lost")
	if _, _, err := d.Put(t.Context(), io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken)), 100); !errors.Is(err, broken) {
		t.Errorf("Put = %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := d.Put(ctx, strings.NewReader("half"), 100); !errors.Is(err, context.Canceled) {
		t.Errorf("Put = %v", err)
	}
	if got := files(t, folder); len(got) != 0 {
		t.Errorf("files = %v", got)
	}
}

func TestNamesThatAreNoneReachNothing(t *testing.T) {
	folder := t.TempDir()
	secret := filepath.Join(folder, "secret")
	if err := os.WriteFile(secret, []byte("outside"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := open(t, filepath.Join(folder, "blobs"), blob.Options{})
	ref := put(t, d, "inside")
	for _, bad := range []blob.Ref{
		"", "..", "../secret", "../../../../etc/passwd", "tmp", blob.Ref(strings.ToUpper(string(ref))), ref[:63], ref + "0",
		blob.Ref(strings.Repeat("../", 20) + "etc"), blob.Ref(strings.Repeat("/", 64)), "a\x00", blob.Ref(strings.Repeat(".", 64)),
	} {
		if _, err := d.Open(t.Context(), bad); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("Open(%q) = %v", bad, err)
		}
		if err := d.Erase(t.Context(), bad); err != nil {
			t.Errorf("Erase(%q) = %v", bad, err)
		}
	}
	// A link that somebody laid into the folder leads nowhere either.
	name := filepath.Join(folder, "blobs", string(ref[:2]), string(ref[2:4]), string(ref))
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, name); err != nil {
		t.Fatal(err)
	}
	if r, err := d.Open(t.Context(), ref); err == nil {
		b, _ := io.ReadAll(r)
		t.Errorf("a link was followed to %q", b)
	}
	if read(t, d, put(t, d, "inside")) != "inside" {
		t.Error("putting it again did not mend it")
	}
	if b, err := os.ReadFile(secret); err != nil || string(b) != "outside" {
		t.Errorf("the file outside holds %q, %v", b, err)
	}
}

func TestAChangedBlobIsNotGivenOut(t *testing.T) {
	folder := t.TempDir()
	d := open(t, folder, blob.Options{Verify: true})
	ref := put(t, d, "evidence")
	name := filepath.Join(folder, string(ref[:2]), string(ref[2:4]), string(ref))
	if err := os.WriteFile(name, []byte("evidencf"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Open(t.Context(), ref); !errors.Is(err, blob.ErrCorrupt) {
		t.Errorf("Open = %v", err)
	}
	if err := d.Check(t.Context(), ref); !errors.Is(err, blob.ErrCorrupt) {
		t.Errorf("Check = %v", err)
	}
	put(t, d, "evidence")
	if err := d.Check(t.Context(), ref); err != nil || read(t, d, ref) != "evidence" {
		t.Errorf("after putting it again: %v", err)
	}
}

func TestErase(t *testing.T) {
	d := open(t, t.TempDir(), blob.Options{})
	ref := put(t, d, "to be forgotten")
	for range 2 {
		if err := d.Erase(t.Context(), ref); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Open(t.Context(), ref); !errors.Is(err, blob.ErrNotFound) {
			t.Fatalf("Open = %v", err)
		}
	}
}

func TestUnreferencedBlobsAreListedOnceTheyAreOldEnough(t *testing.T) {
	d := open(t, t.TempDir(), blob.Options{})
	kept, lost := put(t, d, "kept"), put(t, d, "lost")
	named := func(_ context.Context, r blob.Ref) (bool, error) { return r == kept, nil }
	young, err := d.Unreferenced(t.Context(), time.Now().Add(-time.Hour), named)
	if err != nil || len(young) != 0 {
		t.Errorf("put just now: %v, %v", young, err)
	}
	old, err := d.Unreferenced(t.Context(), time.Now().Add(time.Hour), named)
	if err != nil || len(old) != 1 || old[0].Ref != lost || old[0].Size != 4 {
		t.Errorf("an hour later: %v, %v", old, err)
	}
}

func TestWhatACrashLeftIsSweptAwayButNotWhatIsBeingWritten(t *testing.T) {
	folder := t.TempDir()
	open(t, folder, blob.Options{})
	for name, age := range map[string]time.Duration{"old": 48 * time.Hour, "new": time.Minute} {
		p := filepath.Join(folder, "tmp", name)
		if err := os.WriteFile(p, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(p, time.Now(), time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	open(t, folder, blob.Options{})
	if got := files(t, folder); len(got) != 1 || got[0] != filepath.Join("tmp", "new") {
		t.Errorf("files = %v", got)
	}
}

func TestManyAtOnce(t *testing.T) {
	folder := t.TempDir()
	ds := []*blob.Dir{open(t, folder, blob.Options{}), open(t, folder, blob.Options{})}
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for j := range 10 {
				text := fmt.Sprint("blob ", j)
				ref, _, err := ds[i%2].Put(t.Context(), strings.NewReader(text), 100)
				if err != nil {
					t.Error(err)
					return
				}
				r, err := ds[(i+1)%2].Open(t.Context(), ref)
				if err != nil {
					t.Error(err)
					return
				}
				if b, err := io.ReadAll(r); err != nil || string(b) != text {
					t.Errorf("%q, %v", b, err)
				}
				_ = r.Close()
			}
		})
	}
	wg.Wait()
	if got := files(t, folder); len(got) != 10 {
		t.Errorf("%d files, want 10", len(got))
	}
}

func TestTheFloorRefusesBeforeTheDiskIsFull(t *testing.T) {
	folder := t.TempDir()
	d := open(t, folder, blob.Options{Floor: 1 << 60})
	if _, _, err := d.Put(t.Context(), strings.NewReader("x"), 100); !errors.Is(err, blob.ErrFull) {
		t.Errorf("Put = %v", err)
	}
	if got := files(t, folder); len(got) != 0 {
		t.Errorf("files = %v", got)
	}
}

// TestAFullDiskIsATemporaryFailure fills a real file system of one megabyte. The
// program starts itself again in name spaces of its own, where anybody may mount.
func TestAFullDiskIsATemporaryFailure(t *testing.T) {
	folder := os.Getenv(onSmallDisk)
	if folder == "" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAFullDiskIsATemporaryFailure$", "-test.v")
		cmd.Env = append(os.Environ(), onSmallDisk+"="+t.TempDir())
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		}
		out, err := cmd.CombinedOutput()
		if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EINVAL) {
			// A host that allows no name spaces can only show the floor.
			t.Logf("no name spaces: %v", err)
			TestTheFloorRefusesBeforeTheDiskIsFull(t)
			return
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=1m"); err != nil {
		t.Fatalf("mount: %v", err)
	}
	defer func() { _ = syscall.Unmount(folder, syscall.MNT_DETACH) }()
	d := open(t, folder, blob.Options{Floor: -1})
	small := put(t, d, "kept before")
	if _, _, err := d.Put(t.Context(), bytes.NewReader(make([]byte, 2<<20)), 4<<20); !errors.Is(err, blob.ErrFull) {
		t.Errorf("Put on a full disk = %v", err)
	}
	if got := files(t, folder); len(got) != 1 {
		t.Errorf("files = %v, want the one kept before", got)
	}
	if read(t, d, small) != "kept before" {
		t.Error("what was kept before is not what it was")
	}
	put(t, d, strings.Repeat("fits ", 1000))
}

// A file is erased only when it was put a while ago: a record that is about to
// name it would else lose it.
func TestEraseOlderLeavesWhatCameSince(t *testing.T) {
	folder := t.TempDir()
	d := open(t, folder, blob.Options{})
	ref := put(t, d, "a leaflet")
	hourAgo := time.Now().Add(-time.Hour)
	if gone, err := d.EraseOlder(t.Context(), ref, hourAgo); err != nil || gone || read(t, d, ref) != "a leaflet" {
		t.Fatalf("just put: gone %v, %v", gone, err)
	}
	old := func() {
		t.Helper()
		name := filepath.Join(folder, string(ref[:2]), string(ref[2:4]), string(ref))
		if err := os.Chtimes(name, hourAgo, hourAgo.Add(-time.Hour)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	old()
	if gone, err := d.EraseOlder(t.Context(), ref, hourAgo); err != nil || !gone {
		t.Fatalf("put long ago: gone %v, %v", gone, err)
	}
	if _, err := d.Open(t.Context(), ref); !errors.Is(err, blob.ErrNotFound) {
		t.Fatalf("opened after it was erased: %v", err)
	}
	for _, ref := range []blob.Ref{ref, "../../etc/passwd"} {
		if gone, err := d.EraseOlder(t.Context(), ref, hourAgo); err != nil || !gone {
			t.Errorf("%s is not there: gone %v, %v", ref, gone, err)
		}
	}
	// Whoever puts it again meanwhile has it.
	for range 200 {
		put(t, d, "a leaflet")
		old()
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := d.EraseOlder(t.Context(), ref, hourAgo); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() { put(t, d, "a leaflet") })
		wg.Wait()
		if got := read(t, d, ref); got != "a leaflet" {
			t.Fatalf("read %q", got)
		}
	}
	left, err := os.ReadDir(filepath.Join(folder, "tmp"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
