// checkpoint.hpp: the state of a training as a folder. Internal.
#pragma once

#include <digitnet/trainer.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace digitnet::detail {

/// Largest state.json that is written and read, in bytes. Its history grows with each epoch.
inline constexpr std::uint64_t largest_state = std::uint64_t{1} << 26;

/// How much of a training is in a checkpoint; also its name.
struct CheckpointPosition {
  std::size_t epoch = 0;
  std::size_t batch = 0;  ///< 0: the epoch is whole

  auto operator<=>(const CheckpointPosition&) const = default;  // NOLINT(modernize-use-nullptr): none in it

  /// "epoch-0003", or "epoch-0003-batch-0127"
  std::string name() const;
};

/// The position that a name tells of; none for another name.
std::optional<CheckpointPosition> checkpoint_position(const std::string& name);

/// Whole checkpoints in a folder, in their order. None if there is no such folder.
std::vector<CheckpointPosition> find_checkpoints(const std::filesystem::path& folder);

/// Writes folder/epoch-..., whole or not at all. One that is there is replaced.
/// @throws IoError        if it cannot be written; nothing is left of it then
/// @throws ArgumentError  if a weight is not finite
template <class Real>
void write_checkpoint(const std::filesystem::path& folder, const TrainingState<Real>& state);

/// @throws IoError      if a file cannot be read
/// @throws FormatError  if one breaks a rule
template <class Real>
TrainingState<Real> read_checkpoint(const std::filesystem::path& checkpoint);

/// What state.json holds: all of a state but its arrays, and how many of them there are.
template <class Real>
std::string state_to_text(const TrainingState<Real>& state);

/// Puts into a state, which has its network already, what a state.json says, and makes room for the arrays, each empty.
/// @param where  start of every message
/// @throws FormatError  if it breaks a rule
template <class Real>
void state_from_text(const std::string& where, const std::string& text, TrainingState<Real>& state);

/// Removes a checkpoint. Half of one is never seen, as it gets a hidden name first. What cannot be removed stays.
void remove_checkpoint(const std::filesystem::path& folder, const CheckpointPosition& position);

/// Removes what a process that died was writing or removing: names that begin so, and end in .tmp.
void remove_leftovers(const std::filesystem::path& folder, std::initializer_list<std::string_view> beginnings);

/// Makes a link, or lets it point somewhere else, at once.
/// @throws IoError  if it cannot be made
void replace_link(const std::filesystem::path& link, const std::filesystem::path& target);

}  // namespace digitnet::detail
