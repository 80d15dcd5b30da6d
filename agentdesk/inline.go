package agentdesk

import (
	"context"
	"encoding/base64"
	"html"
	"io"
	"mime"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"example.org/c3i/crm"
)

// Bounds of the images drawn within a message, in bytes. What is beyond them is
// listed among its files, like all others.
const (
	inlineMax = 10 << 20 // one image
	inlineAll = 30 << 20 // all that are drawn
	htmlMax   = 20 << 20 // the message
)

// inlineImage finds the images of cleaned HTML that came with its message. The
// cleaner escapes quotes in text, so that nothing but an attribute looks like it.
var inlineImage = regexp.MustCompile(`src="cid:([^"]{1,1000})"`)

// drawInline puts images that came with a message in their places, as data: what
// people send is shown in a frame that may fetch nothing, of us neither. It returns
// the attachments drawn. An image that is in quarantine, no raster image, too large
// or not there is left out.
func (s *Server) drawInline(ctx context.Context, page []byte, all []crm.Attachment) (drawn []byte, used []crm.Attachment) {
	room := int64(inlineAll) // an image in a thousand places takes it a thousand times
	read := map[string]string{}
	drawn = inlineImage.ReplaceAllFunc(page, func(place []byte) []byte {
		id := contentID(string(inlineImage.FindSubmatch(place)[1]))
		i := slices.IndexFunc(all, func(a crm.Attachment) bool { return a.ContentID == id && drawable(a) })
		if i < 0 || all[i].Size > min(inlineMax, room) {
			return nil
		}
		data, known := read[id]
		if !known {
			data = s.asData(ctx, all[i])
			read[id] = data
			if data != "" {
				used = append(used, all[i])
			}
		}
		if data == "" {
			return nil
		}
		room -= all[i].Size
		return []byte(`src="` + data + `"`)
	})
	return drawn, used
}

// contentID is the Content-ID that a cid: address names (RFC 2392).
func contentID(address string) string {
	address = html.UnescapeString(address)
	if plain, err := url.PathUnescape(address); err == nil {
		return plain
	}
	return address
}

func drawable(a crm.Attachment) bool {
	return !quarantined(a) && previewed(a.Detected) && strings.HasPrefix(a.Detected, "image/")
}

// asData is a file as a data: address, empty when it cannot be read.
func (s *Server) asData(ctx context.Context, a crm.Attachment) string {
	f, err := s.o.Blobs.Open(ctx, a.Blob)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	content, err := io.ReadAll(io.LimitReader(f, inlineMax))
	if err != nil {
		return ""
	}
	kind, _, err := mime.ParseMediaType(a.Detected)
	if err != nil {
		return ""
	}
	return "data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(content)
}
