#include "quantized.hpp"

#include "dispatch.hpp"
#include "kernels.hpp"
#include "sparse_samples.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace digitnet::detail {
namespace {

constexpr std::size_t quad = 4;

/// What the loops share.
struct Product {
  const std::int8_t* weights;
  std::size_t padded_outputs;
  const std::uint8_t* bytes;
  const std::uint64_t* bits;
  std::size_t groups;
  std::int32_t* sums;
};

/// Goes through the quads of inputs that are not all zero.
class Quads {
 public:
  /// @param first  of the outputs that are wanted
  DIGITNET_INLINE Quads(const Product& product, std::size_t first) : product_(product), first_(first) {}

  DIGITNET_INLINE bool next() {
    constexpr std::uint64_t lowest = 0x1111111111111111u;
    while (left_ == 0) {
      if (group_ == product_.groups) return false;
      const std::uint64_t bits = product_.bits[group_++];
      left_ = (bits | bits >> 1 | bits >> 2 | bits >> 3) & lowest;  // a bit for each quad
    }
    input_ = (group_ - 1) * ink_group + static_cast<std::size_t>(std::countr_zero(left_));
    left_ &= left_ - 1;
    return true;
  }

  /// The quad's four inputs.
  template <class Four>
  DIGITNET_INLINE Four bytes() const {
    Four four;
    static_assert(sizeof(four) == quad);
    std::memcpy(&four, product_.bytes + input_, quad);
    return four;
  }

  /// Their weights, four for each output.
  DIGITNET_INLINE const std::int8_t* weights() const {
    return product_.weights + (input_ * product_.padded_outputs + first_ * quad);
  }

 private:
  const Product& product_;
  std::size_t first_;
  std::size_t group_ = 0;
  std::size_t input_ = 0;
  std::uint64_t left_ = 0;
};

void sum_plain(const Product& product) {
  std::fill_n(product.sums, product.padded_outputs, 0);
  Quads quads(product, 0);
  while (quads.next()) {
    const auto x = quads.bytes<std::array<std::uint8_t, quad>>();
    const std::int8_t* const weights = quads.weights();
    for (std::size_t j = 0; j < product.padded_outputs; ++j) {
      for (std::size_t i = 0; i < quad; ++i) product.sums[j] += x[i] * weights[j * quad + i];
    }
  }
}

#if defined(__x86_64__)

// Each block sums Count vectors of outputs, from output `first` on. vpmaddubsw would be the obvious instruction, but
// it adds two products in 16 bits, where 2 * 255 * 127 does not fit.

/// A vector is 8 outputs; their weights are widened, so each has two sums until the end.
template <std::size_t Count>
[[gnu::target("avx2")]] void block_avx2(const Product& product, std::size_t first) {
  __m256i sums[2 * Count];
  for (__m256i& sum : sums) sum = _mm256_setzero_si256();
  Quads quads(product, first);
  while (quads.next()) {
    const __m256i x = _mm256_cvtepu8_epi16(_mm_set1_epi32(quads.bytes<int>()));
    const auto* const weights = reinterpret_cast<const __m128i*>(quads.weights());
    for (std::size_t i = 0; i < 2 * Count; ++i) {
      const __m256i w = _mm256_cvtepi8_epi16(_mm_load_si128(weights + i));
      sums[i] = _mm256_add_epi32(sums[i], _mm256_madd_epi16(x, w));
    }
  }
  auto* const to = reinterpret_cast<__m256i*>(product.sums + first);
  for (std::size_t i = 0; i < Count; ++i) {
    const __m256i pairs = _mm256_hadd_epi32(sums[2 * i], sums[2 * i + 1]);  // outputs 0 1 4 5, 2 3 6 7
    _mm256_store_si256(to + i, _mm256_permute4x64_epi64(pairs, _MM_SHUFFLE(3, 1, 2, 0)));
  }
}

template <std::size_t Count>
[[gnu::target("avx2,avxvnni")]] void block_avx_vnni(const Product& product, std::size_t first) {
  __m256i sums[Count];
  for (__m256i& sum : sums) sum = _mm256_setzero_si256();
  Quads quads(product, first);
  while (quads.next()) {
    const __m256i x = _mm256_set1_epi32(quads.bytes<int>());
    const auto* const weights = reinterpret_cast<const __m256i*>(quads.weights());
    for (std::size_t i = 0; i < Count; ++i) {
      sums[i] = _mm256_dpbusd_avx_epi32(sums[i], x, _mm256_load_si256(weights + i));
    }
  }
  auto* const to = reinterpret_cast<__m256i*>(product.sums + first);
  for (std::size_t i = 0; i < Count; ++i) _mm256_store_si256(to + i, sums[i]);
}

template <std::size_t Count>
[[gnu::target("avx512f,avx512vnni")]] void block_avx512_vnni(const Product& product, std::size_t first) {
  __m512i sums[Count];
  for (__m512i& sum : sums) sum = _mm512_setzero_si512();
  Quads quads(product, first);
  while (quads.next()) {
    const __m512i x = _mm512_set1_epi32(quads.bytes<int>());
    const std::int8_t* const weights = quads.weights();
    for (std::size_t i = 0; i < Count; ++i) {
      sums[i] = _mm512_dpbusd_epi32(sums[i], x, _mm512_load_si512(weights + 64 * i));
    }
  }
  for (std::size_t i = 0; i < Count; ++i) _mm512_store_si512(product.sums + first + 16 * i, sums[i]);
}

/// Calls block.operator()<Count>(first) for blocks of Count vectors of Width outputs, then of half as many, and so on.
template <std::size_t Width, std::size_t Count, class Block>
void for_output_blocks(std::size_t outputs, const Block& block, std::size_t first = 0) {
  for (; first + Count * Width <= outputs; first += Count * Width) block.template operator()<Count>(first);
  if constexpr (Count > 1) for_output_blocks<Width, Count / 2>(outputs, block, first);
}

bool has_avx_vnni() {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a >> 4 & 1) != 0;
}

#endif

/// The least and the largest of some numbers and 0, a vector of Bytes at a time.
template <std::size_t Bytes>
struct Extremes {
  using Vector [[gnu::vector_size(Bytes)]] = float;
  static constexpr std::size_t width = Bytes / sizeof(float);

  Vector lows{};
  Vector highs{};

  DIGITNET_INLINE void add(const float* values) {
    Vector part;
    std::memcpy(&part, values, Bytes);
    lows = part < lows ? part : lows;
    highs = part > highs ? part : highs;
  }
  DIGITNET_INLINE float low() const {
    std::array<float, width> lanes_of;
    std::memcpy(lanes_of.data(), &lows, Bytes);
    return *std::min_element(lanes_of.begin(), lanes_of.end());
  }
  DIGITNET_INLINE float high() const {
    std::array<float, width> lanes_of;
    std::memcpy(lanes_of.data(), &highs, Bytes);
    return *std::max_element(lanes_of.begin(), lanes_of.end());
  }
};

}  // namespace

std::span<const ByteProduct> byte_products() {
  static const std::vector<ByteProduct> found = [] {
    std::vector<ByteProduct> products{ByteProduct::plain};
#if defined(__x86_64__)
    if (processor_simd() != Simd::plain) products.push_back(ByteProduct::avx2);
    if (processor_simd() != Simd::plain && has_avx_vnni()) products.push_back(ByteProduct::avx_vnni);
    if (processor_simd() == Simd::avx512 && __builtin_cpu_supports("avx512vnni")) {
      products.push_back(ByteProduct::avx512_vnni);
    }
#endif
    return products;
  }();
  return found;
}

ByteInputs to_bytes(std::span<const float> values, std::span<std::uint8_t> bytes) {
  ByteInputs inputs{bytes.first(values.size())};
  for_processor([&]<std::size_t Bytes>() DIGITNET_INLINE_LAMBDA {
    const float* const from = values.data();
    const std::size_t count = values.size();
    Extremes<Bytes> extremes;
    std::size_t i = 0;
    for (; i + extremes.width <= count; i += extremes.width) extremes.add(from + i);
    float low = extremes.low();
    float high = extremes.high();
    for (; i < count; ++i) {
      low = std::min(low, from[i]);
      high = std::max(high, from[i]);
    }
    inputs.low = low;
    inputs.step = (high - low) / 255;
    const float steps = inputs.step > 0 ? 1 / inputs.step : 0;
    std::uint8_t* __restrict const to = bytes.data();
    for (std::size_t k = 0; k < count; ++k) {
      const float scaled = (from[k] - low) * steps + 0.5F;
      const float bounded = scaled > 0 ? (scaled < 255 ? scaled : 255) : 0;  // what is not finite becomes something
      to[k] = static_cast<std::uint8_t>(static_cast<std::int32_t>(bounded));
    }
  });
  return inputs;
}

QuantizedLayer::QuantizedLayer(const Dense<float>& layer, std::size_t index)
    : inputs_(layer.inputs()),
      padded_outputs_(padded(layer.outputs())),
      scales_(zero_vector<float>(layer.outputs())),
      bias_(layer.bias),
      weight_sums_(zero_vector<float>(layer.outputs())) {
  if (inputs_ > most_inputs) {
    throw ArgumentError(text("QuantizedPredictor: layer ", index, " has ", inputs_, " inputs, expected at most ",
                             most_inputs, ", so that sums of bytes fit into 32 bits"));
  }
  const auto is_finite = [](float value) { return std::isfinite(value); };
  if (!std::all_of(layer.weights.begin(), layer.weights.end(), is_finite) ||
      !std::all_of(bias_.begin(), bias_.end(), is_finite)) {
    throw ArgumentError(text("QuantizedPredictor: layer ", index, " has a parameter that is not finite"));
  }
  weights_ = zero_vector<std::int8_t>((inputs_ + quad - 1) / quad * quad * padded_outputs_);
  for (std::size_t j = 0; j < outputs(); ++j) {
    float largest = 0;
    for (std::size_t i = 0; i < inputs_; ++i) largest = std::max(largest, std::abs(layer.weights(i, j)));
    scales_(j) = largest / 127;
    if (!(scales_(j) > 0)) continue;
    for (std::size_t i = 0; i < inputs_; ++i) {
      const float q = std::clamp(std::round(layer.weights(i, j) / scales_(j)), -127.0F, 127.0F);
      weights_((i / quad * padded_outputs_ + j) * quad + i % quad) = static_cast<std::int8_t>(q);
      weight_sums_(j) += q;  // whole numbers below 2^23: exact
    }
  }
}

std::size_t QuantizedLayer::size() const {
  return weights_.size() + (scales_.size() + bias_.size() + weight_sums_.size()) * sizeof(float);
}

void QuantizedLayer::sum(std::span<const std::uint8_t> bytes, const std::uint64_t* bits, std::int32_t* sums,
                         ByteProduct how) const {
  const Product product{weights_.data(), padded_outputs_, bytes.data(), bits, ink_groups(inputs_), sums};
  switch (how) {
#if defined(__x86_64__)
    case ByteProduct::avx2:
      return for_output_blocks<8, 4>(
          padded_outputs_, [&]<std::size_t Count>(std::size_t first) { block_avx2<Count>(product, first); });
    case ByteProduct::avx_vnni:
      return for_output_blocks<8, 8>(
          padded_outputs_, [&]<std::size_t Count>(std::size_t first) { block_avx_vnni<Count>(product, first); });
    case ByteProduct::avx512_vnni:
      return for_output_blocks<16, 8>(
          padded_outputs_, [&]<std::size_t Count>(std::size_t first) { block_avx512_vnni<Count>(product, first); });
#endif
    default: return sum_plain(product);
  }
}

void QuantizedLayer::preactivation(const ByteInputs& x, std::uint64_t* bits, std::int32_t* sums,
                                   std::span<float> z) const {
  find_ink(x.bytes, bits);
  sum(x.bytes, bits, sums);
  for_processor([&]<std::size_t>() DIGITNET_INLINE_LAMBDA {
    const float step = x.step;
    const float low = x.low;
    const float* const scale = scales_.data();
    const float* const bias = bias_.data();
    const float* const weight_sum = weight_sums_.data();
    float* __restrict const to = z.data();
    for (std::size_t j = 0; j < z.size(); ++j) {
      to[j] = bias[j] + scale[j] * (step * static_cast<float>(sums[j]) + low * weight_sum[j]);
    }
  });
}

}  // namespace digitnet::detail
