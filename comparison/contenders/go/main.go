// Without a go.mod the compiler assumes the defaults of an old release.
//go:debug default=go1.27

// The contract in Go: net/http and pgx, as the standard library and pgx's own documentation have
// it. One goroutine a request, one context for its deadline, no framework.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v4"
	"github.com/jackc/pgx/v4/pgxpool"
	"github.com/nats-io/nats.go"
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
	sql      map[string]string
	pool     *pgxpool.Pool
	slowPool *pgxpool.Pool
	broker   *nats.Conn
	outside  *http.Client
	lock     sync.Mutex
	streams  map[string]map[chan []byte]bool
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

func connect() *server {
	s := &server{streams: map[string]map[chan []byte]bool{}}
	text, err := os.ReadFile(os.Getenv("LAB_QUERIES"))
	check(err)
	check(json.Unmarshal(text, &s.sql))
	s.pool, s.slowPool = pool("POOL_SIZE"), pool("SLOW_POOL_SIZE")
	s.broker, err = nats.Connect(os.Getenv("NATS_URL"))
	check(err)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = 0, 4096
	s.outside = &http.Client{Transport: transport, Timeout: 30 * time.Second}
	return s
}

func pool(size string) *pgxpool.Pool {
	config, err := pgxpool.ParseConfig(os.Getenv("DATABASE_URL"))
	check(err)
	most, _ := strconv.Atoi(os.Getenv(size))
	config.MaxConns = int32(most)
	made, err := pgxpool.ConnectConfig(context.Background(), config)
	check(err)
	return made
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
