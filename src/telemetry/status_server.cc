#include "telemetry/status_server.h"

#include <httplib.h>

#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "telemetry/metrics.h"
#include "telemetry/status_json.h"
#include "telemetry/status_page.h"

namespace source_vitess::telemetry {
namespace {

// Each serves one connection at a time.
constexpr size_t kThreads = 4;
constexpr time_t kKeptAliveSeconds = 2;

class HttpStatusServer final : public StatusServer {
 public:
  explicit HttpStatusServer(StatusSource source) : source_(std::move(source)) {
    server_.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
    server_.set_keep_alive_timeout(kKeptAliveSeconds);
    server_.set_default_headers({
        {"Content-Security-Policy",
         "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
         "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "no-referrer"},
        {"Cache-Control", "no-store"},
    });
    Serve("/", "text/html; charset=utf-8", [](const httplib::Request&) { return kPageHtml; });
    Serve("/status.css", "text/css; charset=utf-8",
          [](const httplib::Request&) { return kPageCss; });
    Serve("/status.js", "text/javascript; charset=utf-8",
          [](const httplib::Request&) { return kPageScript; });
    Serve("/healthz", "text/plain; charset=utf-8",
          [](const httplib::Request&) { return std::string("ok\n"); });
    Serve("/api/status", "application/json", [this](const httplib::Request& request) {
      return ToJson(source_(), absl::Now(), request.get_param_value("table"));
    });
    Serve("/metrics", "text/plain; version=0.0.4; charset=utf-8",
          [this](const httplib::Request&) { return ToMetrics(source_()); });
  }

  ~HttpStatusServer() override {
    server_.stop();
    if (thread_.joinable()) thread_.join();
  }

  absl::Status Start(const std::string& address, int port) {
    port_ = port == 0                             ? server_.bind_to_any_port(address)
            : server_.bind_to_port(address, port) ? port
                                                  : -1;
    if (port_ <= 0) {
      return absl::FailedPreconditionError(
          absl::StrCat("the status page cannot listen on ", address, ":", port));
    }
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    return absl::OkStatus();
  }

  int port() const override { return port_; }

 private:
  template <typename Answer>
  void Serve(const std::string& path, const char* type, Answer answer) {
    server_.Get(path, [type, answer = std::move(answer)](const httplib::Request& request,
                                                         httplib::Response& response) {
      response.set_content(std::string(answer(request)), type);
    });
  }

  const StatusSource source_;
  httplib::Server server_;
  int port_ = 0;
  std::thread thread_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<StatusServer>> StartStatusServer(const std::string& address,
                                                                int port, StatusSource source) {
  auto server = std::make_unique<HttpStatusServer>(std::move(source));
  if (absl::Status status = server->Start(address, port); !status.ok()) return status;
  return server;
}

}  // namespace source_vitess::telemetry
