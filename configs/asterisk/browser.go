package asterisk

// Object is one thing to push into Asterisk while it runs:
// PUT /ari/asterisk/config/dynamic/<Class>/<Type>/<ID> with the JSON of {"fields": Fields}; DELETE takes it away again.
// It lives in Asterisk's memory and is gone when Asterisk ends.
type Object struct {
	Class, Type, ID string
	Fields          []Field
}

// Field is one setting of an [Object].
type Field struct {
	Attribute string `json:"attribute"`
	Value     string `json:"value"`
}

// BrowserPhone is what makes PJSIP/<id> a browser's phone (RFC 7118 signalling, WebRTC media), in the order to
// push it in; take it away in the opposite order. Its calls start in the dialplan's context: "handlers" for a desk, "public"
// for the call page. A second browser registering with the same id takes the place of the first.
func BrowserPhone(id, password, context string) []Object {
	return []Object{
		{Class: "res_pjsip", Type: "auth", ID: id, Fields: []Field{
			{"auth_type", "userpass"},
			{"username", id},
			{"password", password},
		}},
		{Class: "res_pjsip", Type: "aor", ID: id, Fields: []Field{
			{"max_contacts", "1"},
			{"remove_existing", "yes"},
		}},
		{Class: "res_pjsip", Type: "endpoint", ID: id, Fields: []Field{
			{"transport", "transport-ws"},
			{"context", context},
			{"identify_by", "username"},
			{"aors", id},
			{"auth", id},
			{"webrtc", "yes"},
			{"dtls_auto_generate_cert", "yes"},
			{"disallow", "all"},
			{"allow", "ulaw,alaw"},
			{"direct_media", "no"},
			{"allow_transfer", "no"},
			{"allow_subscribe", "no"},
			{"language", "en"},
		}},
	}
}
