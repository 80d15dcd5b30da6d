package web

import (
	"bufio"
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/redis/go-redis/v9"

	"example.org/c3i/crm"
	"example.org/c3i/crm/blob"
	"example.org/c3i/edge"
	"example.org/c3i/intake/web/form"
)

// File is one file that was uploaded and not sent yet. Its bytes lie in the blob
// store under a key that only the draft has: what is never sent can be read by
// nobody, and erasing it touches no other blob. They are kept as they came, with
// what the camera wrote into them: they are evidence.
type File struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Size     int64    `json:"size"`
	Declared string   `json:"declared,omitempty"`
	Type     string   `json:"type"`
	Staged   blob.Ref `json:"staged"`
	Key      []byte   `json:"key"`
}

// stagedKey lists staged blobs by when they are erased.
const stagedKey = "{web}:staged"

// Problems of a file, by the key of their sentence.
var (
	errFileType  = errors.New("file_type")
	errFileLarge = errors.New("file_large")
	errFileEmpty = errors.New("file_empty")
	errFileMany  = errors.New("file_many")
	errFileBroke = errors.New("file_broke")
)

// takeFiles takes uploads, removes what was chosen to be removed, or leads on.
func (s *Server) takeFiles(w http.ResponseWriter, r *http.Request, asked *form.Step) error {
	r.Body = http.MaxBytesReader(w, r.Body, s.o.FileMost*int64(s.o.FilesMost)+1<<20)
	d, err := s.draft(r)
	if err != nil {
		return err
	}
	step, path, elsewhere := s.reach(d, asked.ID)
	if elsewhere != "" {
		return redirect(w, elsewhere)
	}
	edge.ForFiles(r)
	var added []File
	var problems []problemView
	fields, err := s.readFiles(r, len(d.Files), func(f File) { added = append(added, f) }, func(name string, bad error) {
		problems = append(problems, problemView{"f-" + step.Fields[0].Name, s.languageOf(r).Text(bad.Error(), "name", name, "most", strconv.FormatInt(s.o.FileMost>>20, 10), "number", strconv.Itoa(s.o.FilesMost))})
	})
	if err != nil {
		for _, f := range added {
			s.dropFile(r.Context(), f)
		}
		return err
	}
	r.PostForm = fields
	var dropped []File
	remove, removing := strings.CutPrefix(fields.Get("do"), "remove-")
	d, err = s.change(r, func(d *Draft) error {
		dropped = nil
		for _, f := range added {
			if len(d.Files) >= s.o.FilesMost {
				dropped = append(dropped, f)
				continue
			}
			d.Files = append(d.Files, f)
		}
		var keep []File
		for _, f := range d.Files {
			if removing && f.ID == remove {
				dropped = append(dropped, f)
				continue
			}
			keep = append(keep, f)
		}
		d.Files = keep
		if fields.Get("do") == "continue" && len(problems) == 0 {
			d.Done[step.ID] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, f := range dropped {
		s.dropFile(r.Context(), f)
	}
	switch {
	case len(problems) > 0:
		p := s.stepPage(r, d, path, step)
		p.fields(step, func(string) []string { return nil }, nil)
		p.Problems = problems
		p.Fields[0].Error = problems[0].Text
		p.Fields[0].Describe = strings.TrimSpace(p.Fields[0].Describe + " " + p.Fields[0].ID + "-error")
		return s.render(w, http.StatusUnprocessableEntity, "files", p)
	case fields.Get("do") != "continue":
		to := "/report/" + step.ID
		if fields.Get("from") == form.Check {
			to += "?from=check"
		}
		return redirect(w, to)
	}
	return s.onward(w, r, d, step)
}

// readFiles reads a multipart form: each file is stored as it arrives, never held
// in memory, and reported as good or bad. Fields that are not files are returned.
func (s *Server) readFiles(r *http.Request, have int, good func(File), bad func(name string, err error)) (url.Values, error) {
	fields := url.Values{}
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, &refusal{status: http.StatusBadRequest, page: "garbled"}
	}
	for n := 0; ; n++ {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return fields, nil
		}
		if err != nil || n > 100 {
			return nil, cut(err)
		}
		if part.FileName() == "" {
			b, err := io.ReadAll(io.LimitReader(part, formMost))
			if err != nil {
				return nil, cut(err)
			}
			if len(b) > 0 || part.FormName() != "" {
				fields.Add(part.FormName(), string(b))
			}
			continue
		}
		name := FileName(part.FileName())
		if have >= s.o.FilesMost {
			bad(name, errFileMany)
			continue
		}
		if err := s.limited(r, uploadLimit, s.remote(r)); err != nil {
			return nil, err
		}
		f, err := s.stage(r.Context(), part, name)
		switch {
		case errors.Is(err, errFileType), errors.Is(err, errFileLarge), errors.Is(err, errFileEmpty):
			s.metrics.uploads.WithLabelValues(err.Error()).Inc()
			bad(name, err)
		case errors.Is(err, errFileBroke):
			return nil, cut(err)
		case errors.Is(err, blob.ErrFull):
			s.metrics.uploads.WithLabelValues("full").Inc()
			return nil, &refusal{status: http.StatusInsufficientStorage, page: "full", err: err}
		case err != nil:
			return nil, err
		default:
			s.metrics.uploads.WithLabelValues("ok").Inc()
			good(f)
			have++
		}
	}
}

// cut explains a form that could not be read to its end.
func cut(err error) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return err
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return &refusal{status: http.StatusRequestTimeout, page: "garbled"}
	}
	return &refusal{status: http.StatusBadRequest, page: "garbled"}
}

// FileName is the last part of what a browser gives as a file's name, without
// what would be harmful in a name: never empty, never longer than 120 characters.
func FileName(given string) string {
	name := form.Clean(given, false)
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`<>:"|?*`+"`", r) {
			return '_'
		}
		return r
	}, name)
	name = strings.TrimLeft(strings.TrimSpace(name), ".")
	for utf8.RuneCountInString(name) > 120 {
		ext := path.Ext(name)
		if utf8.RuneCountInString(ext) > 10 {
			ext = ""
		}
		name = string([]rune(strings.TrimSuffix(name, ext))[:110]) + ext
	}
	if name == "" {
		return "file"
	}
	return name
}

// allowed are the types that are taken, by content.
var allowed = map[string]bool{
	"image/jpeg": true, "image/png": true, "image/gif": true, "image/webp": true, "image/bmp": true, "image/heic": true, "image/tiff": true,
	"video/mp4": true, "video/quicktime": true, "video/webm": true, "video/avi": true, "video/3gpp": true,
	"application/pdf": true, "text/plain": true,
}

// Detect tells the type of a file from how it begins: empty when it is none that
// is taken. What it calls itself does not matter.
func Detect(head []byte) string {
	if len(head) >= 12 && string(head[4:8]) == "ftyp" {
		switch brand := string(head[8:12]); brand {
		case "heic", "heix", "mif1", "msf1", "heim", "heis", "hevc":
			return "image/heic"
		case "qt  ":
			return "video/quicktime"
		case "3gp4", "3gp5", "3gp6", "3g2a":
			return "video/3gpp"
		case "avif", "avis", "crx ", "M4A ", "M4B ":
			return ""
		}
		return "video/mp4"
	}
	if bytes.HasPrefix(head, []byte("II*\x00")) || bytes.HasPrefix(head, []byte("MM\x00*")) {
		return "image/tiff"
	}
	t, _, err := mime.ParseMediaType(http.DetectContentType(head))
	if err != nil || !allowed[t] {
		return "" // HTML, archives, programs
	}
	if t == "text/plain" && bytes.HasPrefix(bytes.TrimSpace(head), []byte("<")) {
		return "" // SVG and other markup that looks like text
	}
	return t
}

// stage stores one file under a key of its own.
func (s *Server) stage(ctx context.Context, part *multipart.Part, name string) (File, error) {
	in := bufio.NewReaderSize(part, 4096)
	head, err := in.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) {
		return File{}, errors.Join(errFileBroke, err)
	}
	if len(head) == 0 {
		return File{}, errFileEmpty
	}
	f := File{ID: s.o.IDs.New(), Name: name, Type: Detect(head), Key: make([]byte, 32)}
	f.Declared, _, _ = mime.ParseMediaType(part.Header.Get("Content-Type"))
	if f.Type == "" {
		return File{}, errFileType
	}
	if _, err := rand.Read(f.Key); err != nil {
		return File{}, err
	}
	stream, err := cipherOf(f)
	if err != nil {
		return File{}, err
	}
	broke := &noting{r: in}
	f.Staged, f.Size, err = s.o.Blobs.Put(ctx, cipher.StreamReader{S: stream, R: broke}, s.o.FileMost)
	switch {
	case errors.Is(err, blob.ErrTooLarge):
		return File{}, errFileLarge
	case err != nil && broke.err != nil:
		return File{}, errors.Join(errFileBroke, broke.err)
	case err != nil:
		return File{}, err
	}
	until := s.now().Add(s.o.DraftLife + 24*time.Hour)
	return f, s.o.Redis.ZAdd(ctx, stagedKey, redis.Z{Score: float64(until.UnixMilli()), Member: string(f.Staged)}).Err()
}

// noting remembers how reading ended, to tell a broken upload from a full disk.
type noting struct {
	r   io.Reader
	err error
}

// Read implements io.Reader.
func (n *noting) Read(b []byte) (int, error) {
	c, err := n.r.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		n.err = err
	}
	return c, err
}

func cipherOf(f File) (cipher.Stream, error) {
	block, err := aes.NewCipher(f.Key)
	if err != nil {
		return nil, err
	}
	return cipher.NewCTR(block, make([]byte, aes.BlockSize)), nil //nolint:gosec // each key is used for one file
}

// attach turns a staged file into an attachment: its bytes as they came, under
// the hash of its content.
func (s *Server) attach(ctx context.Context, f File) (crm.Attachment, error) {
	staged, err := s.o.Blobs.Open(ctx, f.Staged)
	if err != nil {
		return crm.Attachment{}, err
	}
	defer staged.Close()
	stream, err := cipherOf(f)
	if err != nil {
		return crm.Attachment{}, err
	}
	ref, size, err := s.o.Blobs.Put(ctx, cipher.StreamReader{S: stream, R: staged}, s.o.FileMost)
	if err != nil {
		return crm.Attachment{}, err
	}
	return crm.Attachment{ID: f.ID, Name: f.Name, Blob: ref, Size: size, Declared: f.Declared, Detected: f.Type, Scan: crm.NotScanned}, nil
}

// attachments turns all files of a draft into attachments.
func (s *Server) attachments(ctx context.Context, files []File) ([]crm.Attachment, error) {
	var out []crm.Attachment
	for _, f := range files {
		a, err := s.attach(ctx, f)
		if errors.Is(err, blob.ErrFull) {
			return nil, &refusal{status: http.StatusInsufficientStorage, page: "full", err: err}
		}
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

// dropFile erases what was staged; a failure is left to the sweep.
func (s *Server) dropFile(ctx context.Context, f File) {
	ctx = context.WithoutCancel(ctx)
	if err := s.o.Blobs.Erase(ctx, f.Staged); err != nil {
		s.o.Log.Warn().Err(err).Msg("a staged file could not be erased; it is tried again when it expires")
		return
	}
	if err := s.o.Redis.ZRem(ctx, stagedKey, string(f.Staged)).Err(); err != nil {
		s.o.Log.Warn().Err(err).Msg("a staged file is still listed; it is tried again when it expires")
	}
}

// Run erases staged files whose drafts have expired, until ctx ends.
func (s *Server) Run(ctx context.Context) {
	tick := time.NewTicker(10 * time.Minute)
	defer tick.Stop()
	for {
		if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.o.Log.Error().Err(err).Msg("staged files could not be swept; trying again")
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Sweep erases the staged files that have expired.
func (s *Server) Sweep(ctx context.Context) error {
	for {
		due, err := s.o.Redis.ZRangeArgs(ctx, redis.ZRangeArgs{Key: stagedKey, ByScore: true, Start: "-inf", Stop: strconv.FormatInt(s.now().UnixMilli(), 10), Count: 100}).Result()
		if err != nil || len(due) == 0 {
			return err
		}
		for _, ref := range due {
			if err := s.o.Blobs.Erase(ctx, blob.Ref(ref)); err != nil {
				return err
			}
			if err := s.o.Redis.ZRem(ctx, stagedKey, ref).Err(); err != nil {
				return err
			}
		}
	}
}
