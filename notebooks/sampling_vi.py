# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Tối ưu hóa và lấy mẫu
#
# [English](sampling_en.ipynb)
#
# Bài tập thứ năm của mục 11.15 trong *Đắm mình vào Học Sâu* hỏi tối ưu hóa và lấy mẫu có liên hệ gì
# với nhau. Mối liên hệ nằm ở bộ định thời: notebook này chỉ ra điều đó trên một bài toán đã biết
# trước đáp án.
#
# **Bạn sẽ học** nhiễu có độ lớn thích hợp biến SGD thành gì; vì sao bước phải giảm, và giảm nhanh
# đến mức nào; và cách kiểm tra mẫu bằng công thức. **Bạn cần biết** notebook [Định thời tốc độ
# học](lr_scheduling_vi.ipynb), phân phối chuẩn, và hậu nghiệm là gì. **Thời gian:** khoảng 45 phút.
# Mọi thứ dựng từ các mẫu đã lưu, chỉ mất vài giây.

# %%
# %matplotlib inline
# %config InlineBackend.figure_format = "retina"
import numpy as np
from IPython.display import Markdown, display

from d2l_lrsched.studies.sampling import page as sampling
from d2l_lrsched.studies.sampling import posterior, record
from d2l_lrsched.studies.sampling.figures import sgld
from d2l_lrsched.studies.sampling.verdicts import sampling_errors
from d2l_lrsched.translation import Words

words = Words("vi")
samples = record.read("../figures/sampling/samples.jsonl")
len(samples)

# %% [markdown]
# Từ đầu đến giờ, khi huấn luyện ta chỉ đòi *một* vector tham số.
# Người theo trường phái Bayes đòi tất cả, mỗi vector xuất hiện nhiều ít tùy theo dữ liệu cho nó xác
# suất bao nhiêu: họ muốn lấy mẫu từ *hậu nghiệm* (posterior) $p(\theta \mid x_1, \ldots, x_N)$.
# Welling và Teh (2011) chỉ ra rằng phải sửa rất ít: cứ đi một bước theo gradient của minibatch, rồi
# thêm nhiễu với độ lớn thích hợp.
#
# $$\theta_{t+1} = \theta_t + \frac{\epsilon_t}{2} \left( \nabla \log p(\theta_t) {} + \frac{N}{n}
# \sum_{i=1}^{n} \nabla \log p(x_{ti} \mid \theta_t) \right) + \eta_t, \qquad \eta_t \sim
# \mathcal{N}(0, \epsilon_t)$$
#
# (phương trình 4 của bài báo; ở đây $\eta_t$ là nhiễu). Dãy $\theta_1, \theta_2, \ldots$ gọi là một
# *chuỗi* (chain). Bỏ $\eta_t$ đi thì đó là SGD có suy giảm trọng số (số hạng suy giảm chính là phần
# của phân phối tiên nghiệm). Có nó, và với bước nhỏ, ta có *động lực học Langevin của gradient ngẫu
# nhiên* (SGLD). Bí quyết nằm ở bậc: gradient của minibatch cũng có nhiễu, nhưng nhiễu ấy góp vào
# một phương sai $\propto \epsilon_t^2$, còn nhiễu thêm vào có phương sai $\epsilon_t$. Bước càng
# nhỏ, nhiễu đúng càng lấn át. Vậy ở đây bộ định thời không phải đồ trang trí; chính nó làm cho
# phương pháp đúng:
#
# $$\epsilon_t = a\,(b + t)^{-\gamma}, \quad \gamma \in (0.5, 1], \qquad \sum_t \epsilon_t = \infty,
# \quad \sum_t \epsilon_t^2 < \infty.$$
#
# Tổng thứ nhất để chuỗi đi được đến bất cứ đâu, tổng thứ hai để sai số tắt dần: đúng hai điều kiện
# kinh điển (Robbins và Monro) để SGD hội tụ về một điểm. Căn bậc hai của notebook đầu, tức $\gamma
# = 0.5$, chỉ thiếu một chút là thỏa điều kiện thứ hai: nó làm cận trên của mất mát trung bình trên
# cả chặng đường nhỏ nhất, chứ không hứa hội tụ về một điểm.
#
# ## Một hậu nghiệm đã biết trước
#
# Muốn biết mẫu lấy ra đúng hay sai thì phải thử ở nơi đã biết đáp án. Ta lấy $N = 100$ điểm trên
# mặt phẳng quanh một kỳ vọng $\theta$ chưa biết, chia thành các minibatch cỡ $n = 10$, ma trận hiệp
# phương sai $\Sigma$ đã biết, với trị riêng 1 và 4, tiên nghiệm $\mathcal{N}(0, I/w)$ với $w = 4$.
# Hậu nghiệm là phân phối chuẩn với ma trận *precision* (nghịch đảo của ma trận hiệp phương sai) $N
# \Sigma^{-1} + w I$, có một trục hẹp và một trục rộng. Hay hơn nữa: gradient tuyến tính theo
# $\theta$, nên ta biết không chỉ đích đến mà cả kỳ vọng và phương sai của các chuỗi *sau từng bước
# cập nhật*. Dọc theo một trục có precision $\lambda$, nơi gradient của minibatch có phương sai $V$,
# đo từ kỳ vọng của hậu nghiệm và lấy độ lệch chuẩn của nó làm đơn vị:
#
# $$m_t = a_t\, m_{t-1}, \qquad v_t = a_t^2\, v_{t-1} {} + \lambda \left( \epsilon_t + \tfrac{1}{4}
# \epsilon_t^2 V \right), \qquad a_t = 1 - \tfrac{1}{2} \epsilon_t \lambda.$$
#
# Vậy với bước cố định $\epsilon$, phương sai tiến đến
#
# $$v = \frac{1 + \epsilon V / 4}{1 - \epsilon \lambda / 4},$$
#
# trong khi đúng ra phải là 1. Cả hai số hạng thêm vào đều làm phân phối *rộng quá*, và đến
# $\epsilon \lambda = 4$ thì công thức không còn dùng được: từ đó trở đi chuỗi phân kỳ. Không thêm
# nhiễu thì mất số 1 ở tử số.

# %%
narrow, wide = posterior.PRECISIONS
words.print("posterior mean", posterior.POSTERIOR_MEAN.round(3), "precisions", narrow, wide)
words.print(f"largest stable step: narrow axis {4 / narrow:.4f}, wide axis {4 / wide:.4f}")
words.print("the paper's schedule:", posterior.PAPER_SCHEDULE)
for name, setting in posterior.SETTINGS.items():
    if isinstance(setting.step, float):
        exact = posterior.stationary(setting.step, setting.noise)
        words.print(f"{name}: step {setting.step:g} leads to variances", exact.round(3))

# %% [markdown]
# Ta chạy thuật toán tối ưu `sgld` có sẵn trong MXNet, do bộ định thời điều khiển như mọi thuật toán
# tối ưu khác: với mỗi thiết lập là hàng nghìn chuỗi độc lập, mỗi chuỗi 2000 bước, đều xuất phát từ
# kỳ vọng của tiên nghiệm. Hàng trên: các mẫu cuối cùng của vài thiết lập; elip liền nét chứa 95 %
# hậu nghiệm, elip đứt nét chứa 95 % những gì công thức dự đoán cho các chuỗi. Hàng dưới, theo số
# bước cập nhật: phương sai dọc trục hẹp và $W_2$, một khoảng cách đến hậu nghiệm sẽ giải thích ở
# dưới; các dấu rời là giá trị đo trên mẫu, các đường là giá trị tính theo công thức.

# %%
words.figure(sgld(samples))

# %% [markdown]
# Bảng dưới là trạng thái sau bước cuối, trong ngoặc là giá trị chính xác. Với phương sai, 1 là của
# hậu nghiệm; *kỳ vọng lệch* cho biết kỳ vọng của các chuỗi lệch khỏi kỳ vọng của hậu nghiệm bao
# nhiêu độ lệch chuẩn, trên trục lệch nhiều hơn; $W_2$ là khoảng cách Wasserstein đến hậu nghiệm,
# gộp cả sai về vị trí lẫn sai về hình dạng; *gần từ bước cập nhật* là từ bước ấy trở đi $W_2$ luôn
# dưới 0.25; *lạc xa* là số chuỗi kết thúc ở xa hơn 10 độ lệch chuẩn. Hai cột cuối là hai câu hỏi
# khác nhau, mỗi câu kèm giá trị p: các chuỗi có khớp với *điều công thức dự đoán cho chúng* không,
# và có khớp với *hậu nghiệm* không?

# %%
pooled = record.pool(samples)
display(words.table(sampling.last_update(pooled)))
Markdown(words.text(sampling.method(pooled)))

# %% [markdown]
# - **Bước cố định lấy mẫu từ một phân phối khác, đúng như dự đoán.** *fixed-moderate* đến nơi nhanh
#   rồi mãi mãi rộng quá; *fixed-large* là một đám mây hầu như không còn hình dạng của hậu nghiệm.
#   Cột trước "có", cột sau "không": chương trình làm đúng lý thuyết, và lý thuyết nói rằng đó không
#   phải hậu nghiệm.
# - **Bước cố định nhỏ thì gần đúng nhưng chậm.** Trong tất cả các thiết lập, *paper* (bắt đầu bằng
#   bước lớn, kết thúc bằng bước nhỏ) đến gần hậu nghiệm nhất, mà lại đến sớm hơn nhiều.
# - **Quá giới hạn thì phân kỳ.** Bước của *fixed-unstable* chỉ nhỉnh hơn giới hạn của trục hẹp, và
#   thế là đủ.
# - **Không thêm nhiễu thì thành tối ưu hóa.** *sgd-paper* co lại thành một điểm gần kỳ vọng của hậu
#   nghiệm, mất sạch phần bất định. *sgd-moderate* không dừng hẳn: đám mây của nó là nhiễu của
#   minibatch và mang hình dạng của nhiễu ấy chứ không phải của hậu nghiệm. Đó chính là vùng quanh
#   cực tiểu giam giữ SGD khi tốc độ học cố định.
#
# Sao đến cả *paper* cũng bị "không"? Phương sai chính xác trong ngoặc gần bằng 1, tức *phân phối*
# của nó gần hậu nghiệm đến mức chừng ấy mẫu, dù lấy hoàn toàn đúng cách, cũng không phân biệt nổi
# hai bên. Hãy xem phương sai đo được trên trục hẹp cao hơn giá trị chính xác, và cao hơn 1, bao
# nhiêu sai số chuẩn:

# %%
by_name = {sampled.setting.name: sampled for sampled in pooled}
for name in ("paper", "fixed-small"):
    sampled = by_name[name]
    error = sampling_errors(sampled.num_chains)["variance"]
    found, exact = sampled.found.variance[-1, 0], sampled.exact.variance[-1, 0]
    excess = f"{(found / exact - 1) / error:+.1f} above the exact"
    words.print(f"{name}, in standard errors: {excess}, {(found - 1) / error:+.1f} above 1")

# %% [markdown]
# Vậy đó là một lượt lấy mẫu không may, cộng với một chút phương sai dư có thật; *fixed-small*, với
# các chuỗi dùng đúng những số ngẫu nhiên ấy, cũng bị như thế. Có nhiều phép kiểm định về dự đoán,
# và giữa ngần ấy phép, thế nào cũng có một độ lệch như vậy ở đâu đó: hiệu chỉnh theo số phép kiểm
# định thì dự đoán vẫn đứng vững. So với hậu nghiệm thì số phép ít hơn, hiệu chỉnh nhẹ hơn, nên kết
# quả là bác bỏ. Chữ "không" ấy chẳng sai, vì phân phối ấy không trùng hẳn với hậu nghiệm, nhưng nó
# chủ yếu phản ánh may rủi. Đó là lý do bên cạnh một kết luận nên có nhiều con số.
#
# ## Trung bình dọc đường
#
# Thường thì ta chỉ có một chuỗi chứ không phải hàng nghìn, và lấy trung bình dọc theo nó. Bài báo
# cho mỗi mẫu một trọng số bằng bước của nó. Bảng dưới đặt cạnh đó trung bình đều nhau (bước cố định
# thì hai cách là một). Bình phương trung bình trên mỗi trục đúng ra là 1; sai số của một chuỗi là
# sai số điển hình của trung bình dọc *một* chuỗi, về vị trí và về bình phương.

# %%
words.table(sampling.averages(pooled))

# %% [markdown]
# Với bộ định thời của bài báo, trung bình đều nhau ở đây lại *tốt hơn*. Trọng số lớn nhất nằm ở chỗ
# bước lớn nhất, tức lúc đầu, mà lúc ấy, dù đã bỏ đi các bước thuộc phần mười đầu tiên của chuỗi,
# các chuỗi vẫn còn đang đi dọc trục rộng. Về lâu về dài thì trọng số không hại gì và lý thuyết cần
# đến nó; hai nghìn bước chưa phải là lâu dài.
#
# Trong bảng đầu còn một chữ "không" nữa chưa giải thích, ở cột *khớp với dự đoán*, hàng
# *fixed-unstable*. Trục hẹp của nó phân kỳ đúng như dự đoán, nhưng trục rộng, lẽ ra ổn định, lại
# rộng quá mức. Công thức không sai; sai là ở phép tính. Chuỗi được lưu dưới dạng $\theta_1$ và
# $\theta_2$, và cả hai tọa độ ấy đều chứa một phần của trục đang phân kỳ. Hai số float64 liền nhau
# ở cỡ ấy cách nhau bao xa?

# %%
unstable = by_name["fixed-unstable"]
narrow_sd, wide_sd = np.sqrt(unstable.exact.variance[-1])
words.print(f"exact standard deviations: narrow axis {narrow_sd:.2g}, wide axis {wide_sd:.2g}")
words.print(f"spacing of float64 numbers of the former's size: {np.spacing(narrow_sd):.2g}")

# %% [markdown]
# Độ lệch thật dọc trục rộng nhỏ hơn rất nhiều so với khoảng cách giữa hai số float64 liền nhau, và
# sai số làm tròn của trục này hiện ra thành độ rộng của trục kia. (Con số trong bảng đầu còn lớn
# hơn nữa, vì bản ghi chỉ giữ hiệp phương sai của $\theta_1$ và $\theta_2$ với 7 chữ số, mà khi đổi
# sang hai trục phải trừ những số gần bằng nhau.)
#
# ## Vậy điều gì nối hai bên?
#
# Bước lớn để thăm dò, bước nhỏ để ổn định: bên nào cũng vậy. Trong *tối ưu hóa*, tốc độ học giảm để
# nhiễu tắt và còn lại một điểm. Trong *lấy mẫu*, nó giảm để nhiễu sai tắt và còn lại nhiễu đúng.
# Cùng một bộ định thời, thêm hay bớt một dòng mã, kết thúc ở một điểm hoặc ở cả hậu nghiệm. Còn tốc
# độ học cố định thì không phải bên này cũng chẳng phải bên kia: nó có lấy mẫu, nhưng từ một phân
# phối chẳng ai hỏi đến (Mandt và cộng sự, 2017, hỏi xem đó là phân phối nào).

# %% [markdown] tags=["question"]
# **Câu hỏi 1.** Nhân đôi kích thước minibatch. $V$ đổi ra sao, và phương sai với bước cố định đổi
# ra sao, khi có và khi không thêm nhiễu? Muốn có cùng tác dụng thì phải đổi bước thế nào?

# %% [markdown] tags=["answer"]
# **Trả lời câu 1.** V giảm một nửa. Có thêm nhiễu thì phương sai gần 1 hơn, vì số hạng thêm vào thứ
# nhất giảm một nửa; không thêm nhiễu thì chính phương sai giảm một nửa. Giảm bước một nửa thì εV
# cũng giảm như thế, và số hạng thứ hai cũng nhỏ đi; nhưng khi ấy chuỗi cần số bước gấp đôi.

# %% [markdown]
# ## Nguồn
#
# - M. Welling, Y. W. Teh (2011). *Bayesian learning via stochastic gradient Langevin dynamics*.
#   [ICML 2011](https://icml.cc/2011/papers/398_icmlpaper.pdf)
# - S. Mandt, M. D. Hoffman, D. M. Blei (2017). *Stochastic gradient descent as approximate Bayesian
#   inference*. [arXiv:1704.04289](https://arxiv.org/abs/1704.04289)
