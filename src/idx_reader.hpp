// idx_reader.hpp: the readers of idx.hpp, with the name of the function that an error should tell. Internal.
#pragma once

#include <digitnet/idx.hpp>

namespace digitnet::detail {

Images read_idx_images(const char* where, const std::filesystem::path& path);
Labels read_idx_labels(const char* where, const std::filesystem::path& path);

}  // namespace digitnet::detail
