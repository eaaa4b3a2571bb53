// Without a go.mod the compiler assumes the defaults of an old release.
//go:debug default=go1.27

// The contract in Go: net/http and pgx, as the standard library and pgx's own documentation have
// it. One goroutine a request, one context for its deadline, no framework.
package main

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"github.com/jackc/pgx/v4"
	"github.com/jackc/pgx/v4/pgxpool"
	"github.com/nats-io/nats.go"
	"golang.org/x/crypto/argon2"
)

type message struct {
	ID        int64  `json:"id"`
	Room      int    `json:"room"`
	User      int    `json:"user"`
	Body      string `json:"body"`
	CreatedMs int64  `json:"created_ms"`
}

type named struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
}

type brief struct {
	ID   int64  `json:"id"`
	Body string `json:"body"`
}

type server struct {
	sql     map[string]string
	pool    *pgxpool.Pool
	broker  *nats.Conn
	outside *http.Client
	lock    sync.Mutex
	streams map[string]map[chan []byte]bool
}

// handler lets a route return its error; whatever it is, the client sees one line.
type handler func(http.ResponseWriter, *http.Request) error

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := h(w, r); errors.Is(err, pgx.ErrNoRows) {
		answer(w, 404, map[string]string{"error": "not found"})
	} else if err != nil {
		answer(w, 500, map[string]string{"error": err.Error()})
	}
}

func answer(w http.ResponseWriter, status int, thing any) error {
	text, err := json.Marshal(thing)
	if err != nil {
		return err
	}
	return send(w, status, text)
}

func send(w http.ResponseWriter, status int, text []byte) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, err := w.Write(text)
	return err
}

// rows collects a query's rows, each read by scan.
func rows[T any](s *server, ctx context.Context, scan func(pgx.Rows, *T) error, name string, args ...any) ([]T, error) {
	found, err := s.pool.Query(ctx, s.sql[name], args...)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	all := []T{}
	for found.Next() {
		var one T
		if err := scan(found, &one); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, found.Err()
}

func scanMessage(row pgx.Rows, m *message) error {
	return row.Scan(&m.ID, &m.Room, &m.User, &m.Body, &m.CreatedMs)
}

func number(r *http.Request, name string) int {
	text := r.PathValue(name)
	if text == "" {
		text = r.URL.Query().Get(name)
	}
	n, _ := strconv.Atoi(text)
	return n
}

func (s *server) slow(w http.ResponseWriter, r *http.Request) error {
	ms := number(r, "ms")
	if _, err := s.pool.Exec(r.Context(), s.sql["slow"], float64(ms)/1000); err != nil {
		return err
	}
	return answer(w, 200, map[string]int{"slept": ms})
}

func (s *server) message(w http.ResponseWriter, r *http.Request) error {
	var m message
	row := s.pool.QueryRow(r.Context(), s.sql["message"], number(r, "id"))
	if err := row.Scan(&m.ID, &m.Room, &m.User, &m.Body, &m.CreatedMs); err != nil {
		return err
	}
	return answer(w, 200, m)
}

func (s *server) history(w http.ResponseWriter, r *http.Request) error {
	all, err := rows(s, r.Context(), scanMessage, "history", number(r, "id"), number(r, "limit"))
	if err != nil {
		return err
	}
	return answer(w, 200, map[string][]message{"messages": all})
}

func (s *server) post(w http.ResponseWriter, r *http.Request) error {
	m := message{Room: number(r, "id")}
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		return err
	}
	row := s.pool.QueryRow(r.Context(), s.sql["post"], m.Room, m.User, m.Body)
	if err := row.Scan(&m.ID, &m.CreatedMs); err != nil {
		return err
	}
	text, _ := json.Marshal(m)
	s.publish(r.PathValue("id"), text)
	return send(w, 201, text)
}

type home struct {
	User   named            `json:"user"`
	Rooms  []named          `json:"rooms"`
	Unseen int              `json:"unseen"`
	Latest []brief          `json:"latest"`
}

func (s *server) home(w http.ResponseWriter, r *http.Request) error {
	var h home
	ctx, user := r.Context(), number(r, "user")
	queries := []func() error{
		func() error { return s.pool.QueryRow(ctx, s.sql["user"], user).Scan(&h.User.ID, &h.User.Name) },
		func() error { return s.pool.QueryRow(ctx, s.sql["unseen"], user).Scan(&h.Unseen) },
		func() (err error) {
			scan := func(row pgx.Rows, n *named) error { return row.Scan(&n.ID, &n.Name) }
			h.Rooms, err = rows(s, ctx, scan, "rooms", user)
			return
		},
		func() (err error) { h.Latest, err = rows(s, ctx, scanLatest, "latest", user); return },
	}
	done := make(chan error, len(queries))
	for _, query := range queries {
		go func() { done <- query() }()
	}
	for range queries {
		if err := <-done; err != nil {
			return err
		}
	}
	return answer(w, 200, h)
}

func scanLatest(row pgx.Rows, m *brief) error { return row.Scan(&m.ID, &m.Body) }

func (s *server) preview(w http.ResponseWriter, r *http.Request) error {
	url := r.URL.Query().Get("url")
	reply, err := s.outside.Get(url)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	page, err := io.ReadAll(reply.Body)
	if err != nil {
		return err
	}
	_, rest, _ := strings.Cut(string(page), "<title>")
	title, _, _ := strings.Cut(rest, "</title>")
	if _, err := s.pool.Exec(r.Context(), s.sql["preview"], url, title); err != nil {
		return err
	}
	return answer(w, 200, map[string]string{"url": url, "title": title})
}

func (s *server) mixed(w http.ResponseWriter, r *http.Request) error {
	ms := number(r, "ms")
	reply, err := s.broker.Request("lab.echo", []byte("ping"), 30*time.Second)
	if err != nil {
		return err
	}
	if _, err := s.pool.Exec(r.Context(), s.sql["slow"], float64(ms)/1000); err != nil {
		return err
	}
	return answer(w, 200, map[string]any{"reply": string(reply.Data), "slept": ms})
}

func (s *server) login(w http.ResponseWriter, r *http.Request) error {
	var who struct {
		User     int
		Password string
	}
	if err := json.NewDecoder(r.Body).Decode(&who); err != nil {
		return err
	}
	var stored string
	if err := s.pool.QueryRow(r.Context(), s.sql["password"], who.User).Scan(&stored); err != nil {
		return err
	}
	if !verify(stored, who.Password) {
		return answer(w, 401, map[string]bool{"ok": false})
	}
	return answer(w, 200, map[string]bool{"ok": true})
}

// verify reads the parameters out of the PHC string, as every argon2 library does.
func verify(stored, password string) bool {
	var memory, passes uint32
	var lanes uint8
	parts := strings.Split(stored, "$")
	fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &passes, &lanes)
	salt, _ := base64.RawStdEncoding.DecodeString(parts[4])
	want, _ := base64.RawStdEncoding.DecodeString(parts[5])
	given := argon2.IDKey([]byte(password), salt, passes, memory, lanes, uint32(len(want)))
	return subtle.ConstantTimeCompare(given, want) == 1
}

func (s *server) subscribe(room string) (chan []byte, func()) {
	inbox := make(chan []byte, 64)
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.streams[room] == nil {
		s.streams[room] = map[chan []byte]bool{}
	}
	s.streams[room][inbox] = true
	return inbox, func() { s.lock.Lock(); delete(s.streams[room], inbox); s.lock.Unlock() }
}

func (s *server) publish(room string, text []byte) {
	s.lock.Lock()
	defer s.lock.Unlock()
	for inbox := range s.streams[room] {
		inbox <- text
	}
}

func (s *server) stream(w http.ResponseWriter, r *http.Request) error {
	inbox, leave := s.subscribe(r.PathValue("id"))
	defer leave()
	w.Header().Set("Content-Type", "text/event-stream")
	fmt.Fprint(w, ": ok\n\n")
	flusher := w.(http.Flusher)
	for flusher.Flush(); ; flusher.Flush() {
		select {
		case text := <-inbox:
			fmt.Fprintf(w, "data: %s\n\n", text)
		case <-r.Context().Done():
			return nil
		}
	}
}

var upgrader = websocket.Upgrader{}

func (s *server) ws(w http.ResponseWriter, r *http.Request) error {
	socket, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return nil // the upgrader has answered
	}
	defer socket.Close()
	inbox, leave := s.subscribe(r.PathValue("id"))
	defer leave()
	gone := make(chan bool)
	go func() {
		defer close(gone)
		for _, _, err := socket.ReadMessage(); err == nil; _, _, err = socket.ReadMessage() {
		}
	}()
	for {
		select {
		case text := <-inbox:
			if socket.WriteMessage(websocket.TextMessage, text) != nil {
				return nil
			}
		case <-gone:
			return nil
		}
	}
}

func connect() *server {
	s := &server{streams: map[string]map[chan []byte]bool{}}
	text, err := os.ReadFile(os.Getenv("LAB_QUERIES"))
	check(err)
	check(json.Unmarshal(text, &s.sql))
	config, err := pgxpool.ParseConfig(os.Getenv("DATABASE_URL"))
	check(err)
	size, _ := strconv.Atoi(os.Getenv("POOL_SIZE"))
	config.MaxConns = int32(size)
	s.pool, err = pgxpool.ConnectConfig(context.Background(), config)
	check(err)
	s.broker, err = nats.Connect(os.Getenv("NATS_URL"))
	check(err)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = 0, 4096
	s.outside = &http.Client{Transport: transport, Timeout: 30 * time.Second}
	return s
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	s := connect()
	routes := map[string]handler{
		"GET /livez": func(w http.ResponseWriter, r *http.Request) error {
			_, err := io.WriteString(w, "ok")
			return err
		},
		"GET /json": func(w http.ResponseWriter, r *http.Request) error {
			return answer(w, 200, map[string]string{"message": "Hello, World!"})
		},
		"GET /slow": s.slow, "GET /message/{id}": s.message, "GET /rooms/{id}/messages": s.history,
		"POST /rooms/{id}/messages": s.post, "GET /home/{user}": s.home, "GET /preview": s.preview,
		"GET /mixed": s.mixed, "POST /login": s.login, "GET /rooms/{id}/stream": s.stream,
		"GET /rooms/{id}/ws": s.ws,
	}
	mux := http.NewServeMux()
	for pattern, route := range routes {
		mux.Handle(pattern, route)
	}
	check(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), mux))
}
