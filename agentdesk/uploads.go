package agentdesk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"path"
	"strings"
	"time"
	"unicode"

	"github.com/redis/go-redis/v9"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/crm/audit"
	"example.org/c3i/crm/blob"
	"example.org/c3i/edge"
)

// UploadMax bounds one file for an answer, in bytes.
const UploadMax = 15 << 20

// uploadKept is how long a file that no draft or message took is remembered. A
// draft that took it remembers it by itself.
const uploadKept = 24 * time.Hour

// upload is a file given for an answer, and who gave it.
type upload struct {
	User string         `json:"user"`
	File crm.Attachment `json:"file"`
}

func uploadKey(id string) string { return "desk:upload:" + id }

// handleUpload takes one file as multipart/form-data, field "file".
func (s *Server) handleUpload(w http.ResponseWriter, r *http.Request) {
	u := userOf(r.Context())
	if s.o.Blobs == nil {
		s.writeError(w, notHere())
		return
	}
	if wait, ok := s.perUploader.take(u.Name, s.now()); !ok {
		s.refuseForNow(w, CodeThrottled, "That were many files at once. Wait", wait)
		return
	}
	edge.ForFiles(r)
	// Multipart framing needs a little more than the file.
	r.Body = http.MaxBytesReader(w, r.Body, UploadMax+(64<<10))
	file, err := takeUpload(r, s.o.Blobs)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge), errors.Is(err, blob.ErrTooLarge):
		s.writeError(w, &Error{Code: CodeTooLarge, Message: "A file may have at most 15 MiB.", Field: "file"})
		return
	case errors.Is(err, os.ErrDeadlineExceeded):
		s.writeError(w, tooSlow())
		return
	case errors.Is(err, blob.ErrFull):
		s.fail(w, r, fmt.Errorf("upload: %w", err))
		return
	case err != nil:
		s.fail(w, r, err)
		return
	}
	file.Scan = s.scan(r.Context(), file.Blob)
	if quarantined(file) {
		s.denied(r.Context(), "attachment", "", "quarantined")
		s.writeError(w, invalid("file", "The file was not taken: the malware scanner refused it."))
		return
	}
	file.ID = derivedID(s.instant(), u.Name+" "+file.Name+" "+string(file.Blob))
	b, err := json.Marshal(upload{User: u.Name, File: file})
	if err == nil {
		err = s.o.Redis.Set(r.Context(), uploadKey(file.ID), b, uploadKept).Err()
	}
	if err == nil {
		err = s.trail(r.Context(), audit.Entry{Operation: audit.Collect, Object: "attachment", ObjectID: file.ID, Outcome: "ok"})
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.writeJSON(w, http.StatusCreated, uploadOf(file))
}

// takeUpload reads the one file of a form into the blobs.
func takeUpload(r *http.Request, blobs blob.Store) (crm.Attachment, error) {
	form, err := r.MultipartReader()
	if err != nil {
		return crm.Attachment{}, &Error{Code: CodeBadRequest, Message: "Send one file as multipart/form-data, field file."}
	}
	for {
		part, err := form.NextPart()
		if err != nil {
			var tooLarge *http.MaxBytesError
			if errors.As(err, &tooLarge) || errors.Is(err, os.ErrDeadlineExceeded) {
				return crm.Attachment{}, err
			}
			return crm.Attachment{}, &Error{Code: CodeBadRequest, Message: "The form has no file.", Field: "file"}
		}
		if part.FormName() != "file" {
			continue
		}
		head := make([]byte, 512)
		n, err := io.ReadFull(part, head)
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return crm.Attachment{}, err
		}
		if n == 0 {
			return crm.Attachment{}, invalid("file", "The file is empty.")
		}
		ref, size, err := blobs.Put(r.Context(), io.MultiReader(bytes.NewReader(head[:n]), part), UploadMax)
		if err != nil {
			return crm.Attachment{}, err
		}
		detected, _, err := mime.ParseMediaType(http.DetectContentType(head[:n]))
		if err != nil {
			detected = "application/octet-stream"
		}
		return crm.Attachment{
			Name: fileName(part.FileName()), Blob: ref, Size: size, Declared: part.Header.Get("Content-Type"), Detected: detected,
		}, nil
	}
}

// fileNameMax bounds a file's name, in characters.
const fileNameMax = 120

// fileName makes a name safe to show and to save under: no folder, no control
// characters, nothing that turns text around.
func fileName(name string) string {
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == utf8Bad || strings.ContainsRune(`"<>:|?*/`, r) {
			return '_'
		}
		return r
	}, name)
	name = strings.Trim(name, ". ")
	if name == "" {
		name = "file"
	}
	if short, more := opening(name, fileNameMax); more {
		ext := path.Ext(name)
		if len(ext) > 10 {
			ext = ""
		}
		short, _ = opening(short, fileNameMax-len(ext))
		name = short + ext
	}
	return name
}

const utf8Bad = '\uFFFD'

func (s *Server) scan(ctx context.Context, ref blob.Ref) crm.ScanResult {
	if s.o.Scanner == nil {
		return crm.NotScanned
	}
	f, err := s.o.Blobs.Open(ctx, ref)
	if err != nil {
		return crm.ScanFailed
	}
	defer func() { _ = f.Close() }()
	content, err := io.ReadAll(io.LimitReader(f, UploadMax))
	if err != nil {
		return crm.ScanFailed
	}
	return s.o.Scanner.Scan(ctx, content)
}

// quarantined files are listed and not given out.
func quarantined(a crm.Attachment) bool { return a.Scan != crm.Clean && a.Scan != crm.NotScanned }

func uploadOf(a crm.Attachment) Upload {
	return Upload{ID: a.ID, Name: a.Name, Size: a.Size, Type: a.Detected, Scan: a.Scan}
}

func uploadsOf(files []crm.Attachment) []Upload {
	var out []Upload
	for _, f := range files {
		out = append(out, uploadOf(f))
	}
	return out
}

// files finds the files a draft names: among those its last version had, and
// those this handler gave. Nobody reaches another's by its id.
func (r *request) files(ctx context.Context, asked []Upload, before *storedDraft) ([]crm.Attachment, error) {
	var out []crm.Attachment
	total := int64(0)
	for _, a := range asked {
		f, err := r.file(ctx, a.ID, before)
		if err != nil {
			return nil, err
		}
		if total += f.Size; total > attachAllMax {
			return nil, invalid("draft.attachments", "The files together may have at most 18 MiB.")
		}
		out = append(out, f)
	}
	return out, nil
}

func (r *request) file(ctx context.Context, id string, before *storedDraft) (crm.Attachment, error) {
	if before != nil {
		for _, f := range before.Files {
			if f.ID == id {
				return f, nil
			}
		}
	}
	gone := invalid("draft.attachments", "One of the files is not there any more. Add it again.")
	if id == "" || len(id) > 64 {
		return crm.Attachment{}, gone
	}
	b, err := r.s.o.Redis.Get(ctx, uploadKey(id)).Bytes()
	if errors.Is(err, redis.Nil) {
		return crm.Attachment{}, gone
	}
	if err != nil {
		return crm.Attachment{}, err
	}
	var up upload
	if err := json.Unmarshal(b, &up); err != nil {
		return crm.Attachment{}, err
	}
	if up.User != string(r.d.agent) {
		return crm.Attachment{}, gone
	}
	return up.File, nil
}

// inHand tells whether a user has a contact in hand, or had it lately.
func (s *Server) inHand(user string, id contact.ID) bool {
	d := s.deskOf(user)
	if d == nil || id == "" {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.hasLocked(id)
}
