// json_fields.hpp: the members of a JSON object from a stranger, each asked for by name and type. Internal.
#pragma once

#include "strict_json.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace digitnet::detail {

/// Every getter throws FormatError, "WHERE\"key\" ...", if the member is not there or of another type.
class Fields {
 public:
  /// @param where  start of every message: "load_run: runs/a/config.json: "
  /// @param value  is kept by reference
  /// @throws FormatError  if it is no object
  Fields(std::string where, const nlohmann::json& value);

  bool has(const char* key) const { return value_.contains(key); }
  bool is_null(const char* key) const;  ///< it has to be there
  bool is_text(const char* key) const;  ///< likewise

  std::string text(const char* key) const;
  bool truth(const char* key) const;
  double number(const char* key) const;        ///< null is not a number
  std::uint64_t whole(const char* key) const;  ///< of at least 0
  std::vector<double> numbers(const char* key) const;
  std::vector<std::uint64_t> wholes(const char* key) const;
  std::vector<std::string> texts(const char* key) const;
  const nlohmann::json& object(const char* key) const;
  const nlohmann::json& array(const char* key) const;
  Fields fields(const char* key) const;                ///< of the object in it
  std::vector<Fields> objects(const char* key) const;  ///< of each object in its list

  /// @throws FormatError  if there is a member that nobody has asked for
  void require_no_others() const;

  [[noreturn]] void refuse(const char* key, const std::string& what) const;

 private:
  const nlohmann::json& any(const char* key) const;
  const nlohmann::json& member(const char* key, bool (nlohmann::json::*is)() const noexcept, const char* type) const;

  std::string where_;
  const nlohmann::json& value_;
  mutable std::set<std::string> asked_;
};

}  // namespace digitnet::detail
