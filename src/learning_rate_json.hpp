// learning_rate_json.hpp: changes of the learning rate as JSON: {"epoch": 2, "batch": 13, "learning_rate": 0.0005}.
// Internal.
#pragma once

#include "json_fields.hpp"
#include "json_value.hpp"

#include <digitnet/trainer.hpp>

#include <cmath>
#include <string>
#include <vector>

namespace digitnet::detail {

inline JsonValue change_to_json(const LearningRateChange& change) {
  return {{"epoch", change.epoch}, {"batch", change.batch}, {"learning_rate", change.learning_rate}};
}

inline JsonValue changes_to_json(const std::vector<LearningRateChange>& changes) {
  JsonValue list = JsonValue::array();
  for (const LearningRateChange& change : changes) list.push_back(change_to_json(change));
  return list;
}

/// @throws FormatError  unless it is a finite number above 0
inline double rate_from_json(const Fields& fields) {
  const double rate = fields.number("learning_rate");
  if (!std::isfinite(rate) || rate <= 0) {
    fields.refuse("learning_rate", text("is ", rate, ", expected a number above 0"));
  }
  return rate;
}

/// Members that are none of a change are left to the caller.
inline LearningRateChange change_from_json(const Fields& fields) {
  return {.epoch = fields.whole("epoch"), .batch = fields.whole("batch"), .learning_rate = rate_from_json(fields)};
}

inline std::vector<LearningRateChange> changes_from_json(const Fields& fields, const char* key) {
  std::vector<LearningRateChange> changes;
  for (const Fields& change : fields.objects(key)) {
    changes.push_back(change_from_json(change));
    change.require_no_others();
  }
  return changes;
}

}  // namespace digitnet::detail
