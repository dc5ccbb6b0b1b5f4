#include "vitess/vtgate_stub.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "grpcpp/channel.h"
#include "text/absl_view.h"
#include "vitess/errors.h"
#include "vitess/vtgateservice.grpc.pb.h"

namespace source_vitess::vitess {
namespace {

class ChannelStub final : public VtgateStub {
 public:
  explicit ChannelStub(std::shared_ptr<grpc::Channel> channel)
      : stub_(vtgateservice::Vitess::NewStub(std::move(channel))) {}

  grpc::Status Execute(grpc::ClientContext& context, const vtgate::ExecuteRequest& request,
                       vtgate::ExecuteResponse* response) override {
    return stub_->Execute(&context, request, response);
  }

  std::unique_ptr<Reader> VStream(grpc::ClientContext& context,
                                  const vtgate::VStreamRequest& request) override {
    return stub_->VStream(&context, request);
  }

 private:
  const std::unique_ptr<vtgateservice::Vitess::Stub> stub_;
};

using Metadata = std::vector<std::pair<std::string, std::string>>;

// Who calls. gRPC's own call credentials refuse to go over plaintext, over which Vitess takes a
// password as well.
class AuthenticatedStub final : public VtgateStub {
 public:
  AuthenticatedStub(std::unique_ptr<VtgateStub> inner, Metadata metadata)
      : inner_(std::move(inner)), metadata_(std::move(metadata)) {}

  grpc::Status Execute(grpc::ClientContext& context, const vtgate::ExecuteRequest& request,
                       vtgate::ExecuteResponse* response) override {
    AddTo(context);
    return inner_->Execute(context, request, response);
  }

  std::unique_ptr<Reader> VStream(grpc::ClientContext& context,
                                  const vtgate::VStreamRequest& request) override {
    AddTo(context);
    return inner_->VStream(context, request);
  }

 private:
  void AddTo(grpc::ClientContext& context) const {
    for (const auto& [key, value] : metadata_) context.AddMetadata(key, value);
  }

  const std::unique_ptr<VtgateStub> inner_;
  const Metadata metadata_;
};

// gRPC ends the program at metadata that it cannot send.
absl::Status CheckMetadata(std::string_view text, std::string_view option) {
  const bool printable =
      std::all_of(text.begin(), text.end(), [](char c) { return absl::ascii_isprint(c); });
  if (printable) return absl::OkStatus();
  return ConfigurationError(absl::StrCat(
      "the option ", text::AbslView(option),
      " has characters that cannot be sent to Vitess: only printable ASCII characters can"));
}

absl::StatusOr<Metadata> MetadataOf(const Credentials& credentials) {
  if (credentials.scheme == Credentials::Scheme::kBasic) {
    // The server takes what is before the first colon for the name.
    if (credentials.username.find(':') != std::string::npos) {
      return ConfigurationError(
          "the option username has a colon, which HTTP Basic authentication has no way to send");
    }
    return Metadata{{"authorization", absl::StrCat("Basic ", BasicToken(credentials))}};
  }
  if (absl::Status s = CheckMetadata(credentials.username, "username"); !s.ok()) return s;
  if (absl::Status s = CheckMetadata(credentials.password, "password"); !s.ok()) return s;
  return Metadata{{"username", credentials.username}, {"password", credentials.password}};
}

}  // namespace

absl::StatusOr<std::unique_ptr<VtgateStub>> MakeVtgateStub(const ChannelOptions& options) {
  auto channel = MakeChannel(options);
  if (!channel.ok()) return channel.status();
  std::unique_ptr<VtgateStub> stub = std::make_unique<ChannelStub>(*std::move(channel));
  if (options.credentials.has_value()) {
    auto metadata = MetadataOf(*options.credentials);
    if (!metadata.ok()) return metadata.status();
    stub = std::make_unique<AuthenticatedStub>(std::move(stub), *std::move(metadata));
  }
  return stub;
}

}  // namespace source_vitess::vitess
