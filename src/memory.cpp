#include <digitnet/tensor.hpp>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace digitnet::detail {
namespace {

constexpr std::size_t cache_line = 64;
constexpr std::size_t huge_page = std::size_t{1} << 21;

bool is_large(std::size_t bytes) { return bytes >= huge_page / 2; }

std::align_val_t alignment_of(std::size_t bytes) {
  return std::align_val_t{is_large(bytes) ? huge_page : cache_line};
}

}  // namespace

void* allocate_aligned(std::size_t bytes) {
  if (!is_large(bytes)) return ::operator new(bytes, alignment_of(bytes));
  if (bytes > std::numeric_limits<std::size_t>::max() - huge_page) throw std::bad_array_new_length();
  const std::size_t whole = (bytes + huge_page - 1) / huge_page * huge_page;
  void* const memory = ::operator new(whole, alignment_of(bytes));
#ifdef MADV_HUGEPAGE
  madvise(memory, whole, MADV_HUGEPAGE);  // no more than a wish
#endif
  return memory;
}

void free_aligned(void* memory, std::size_t bytes) noexcept { ::operator delete(memory, alignment_of(bytes)); }

}  // namespace digitnet::detail
